"""For whom is a model wrong, by how much, and how sure is that: slices, gaps, mitigation and reports."""

from ml.bias.analyzer import BiasAnalyzer
from ml.bias.mitigation import BiasMitigator
from ml.bias.report import BiasReport
from ml.bias.slicer import DataSlicer

__all__ = ["BiasAnalyzer", "BiasMitigator", "BiasReport", "DataSlicer"]
