"""For whom is a model wrong, by how much, and how sure is that.

Rooms, in the order in which data flow: `slices` (who is who), `estimates` (sums, intervals, comparisons),
`metrics` (what is measured, each declared once), `judge` (verdicts, and the gaps of a dimension), `tables`
(every published column), `explain` (why), `repair` (what helps), `report` (for people); `gate` says whether a
model may serve. Stands on `ml.stats` and `ml.errors` alone; others take what they need from here.
"""

from ml.bias.config import SLICE_PREFIX, BiasConfig
from ml.bias.estimates.comparison import q_values, two_sided_p
from ml.bias.explain.composition import adjusted_difference, strata_of
from ml.bias.explain.explanation import explain_bias
from ml.bias.judge.analyzer import BiasAnalyzer
from ml.bias.measure import BiasTables, measure_bias
from ml.bias.metrics.declared import Metric
from ml.bias.metrics.hours import HOURS
from ml.bias.metrics.orders import OrderTask, RankingConfig
from ml.bias.metrics.scores import SCORES
from ml.bias.metrics.tasks import BiasTask
from ml.bias.repair.adjustment import GroupCorrection, fit_group_correction
from ml.bias.repair.constrained import OTHER_GROUPS, fit_bounded_group_loss, pool_groups, weighted_mean
from ml.bias.repair.ledger import Mitigated, evaluate_ledger
from ml.bias.repair.mitigator import BiasMitigator
from ml.bias.report.document import bias_json
from ml.bias.report.page import render_page
from ml.bias.report.texts import BiasReport
from ml.bias.slices.distribution import measure_distribution
from ml.bias.slices.membership import encode_dimension
from ml.bias.slices.slicer import DataSlicer
from ml.bias.tables.layout import typed

__all__ = [
    "HOURS",
    "OTHER_GROUPS",
    "SCORES",
    "SLICE_PREFIX",
    "BiasAnalyzer",
    "BiasConfig",
    "BiasMitigator",
    "BiasReport",
    "BiasTables",
    "BiasTask",
    "DataSlicer",
    "GroupCorrection",
    "Metric",
    "Mitigated",
    "OrderTask",
    "RankingConfig",
    "adjusted_difference",
    "bias_json",
    "encode_dimension",
    "evaluate_ledger",
    "explain_bias",
    "fit_bounded_group_loss",
    "fit_group_correction",
    "measure_bias",
    "measure_distribution",
    "pool_groups",
    "q_values",
    "render_page",
    "strata_of",
    "two_sided_p",
    "typed",
    "weighted_mean",
]
