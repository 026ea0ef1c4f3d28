"""Figures of every slice from sums over clusters: values, intervals, comparisons. Nothing is judged here."""
