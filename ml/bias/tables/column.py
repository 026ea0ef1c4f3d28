"""What a column of a published table says of itself, and those that several tables have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "whole number", "number", "truth"]
SHARE, HOURS, LOG_HOURS, RATIO = "share", "hours", "log(1 + hours)", "ratio"
# Of a long table, the unit is the metric's.
AS_METRIC = "as the metric"


@dataclass(frozen=True)
class Column:
    """One column; ``unit`` is empty for what has none."""

    name: str
    type: Type
    unit: str
    description: str

    @property
    def comment(self) -> str:
        """Description and unit in one text."""
        return f"{self.description} Unit: {self.unit}." if self.unit else self.description

    @property
    def dtype(self) -> str:
        """Type of the column in a frame."""
        return {"text": "str", "whole number": "int64", "number": "float64", "truth": "bool"}[self.type]


def text(name: str, description: str) -> Column:
    """A text."""
    return Column(name, "text", "", description)


def count(name: str, description: str, unit: str = "items") -> Column:
    """A whole number."""
    return Column(name, "whole number", unit, description)


def number(name: str, description: str, unit: str = "") -> Column:
    """A number; ``unit`` is empty for what has none."""
    return Column(name, "number", unit, description)


def truth(name: str, description: str) -> Column:
    """True or false."""
    return Column(name, "truth", "", description)


RUN = [text("run_id", "Run that the models belong to."), text("domain", "Domain of the items.")]
KEYS = [
    text("task", "regression, binary (a scorer of 0/1 outcomes) or ranking."),
    text("model", "Name of the model."),
    text("split", "validation or test."),
]
DIMENSION = text("dimension", "Family of slices, such as repo or label.")
SLICE = text(
    "slice",
    "Value that the items of the slice have in common; (missing) and (small slices) are slices too, and an "
    "item's own value of that name is in quotes.",
)
POOLED = truth("pooled", "Too small for itself: also contained in (small slices).")
IS_OUTCOME = truth("is_outcome", "The dimension is made from the outcome: described, never judged.")
JUDGED = [
    number("value", "The metric of the slice.", AS_METRIC),
    number(
        "ci_low",
        "Lower end of the bootstrap interval of value, over clusters; null with too few of them.",
        AS_METRIC,
    ),
    number("ci_high", "Upper end of the bootstrap interval of value.", AS_METRIC),
    number("rest_value", "The metric of all other rows.", AS_METRIC),
    number(
        "effect",
        "Disadvantage of the slice, relative to rest_value; positive is worse. Of mean_error, how far it is "
        "beyond both zero and rest_value, relative to the share of positives; of a gain, the loss relative "
        "to the metric itself.",
        RATIO,
    ),
    number(
        "q_value",
        "False-discovery rate of the disadvantage, over all slices and tested metrics of the model and "
        "split; null: not tested.",
    ),
    number("shrunk", "value shrunk towards the other slices of the dimension (empirical Bayes).", AS_METRIC),
    truth(
        "assessable",
        "Rows and clusters enough of what the metric is over, in the slice and outside, and a second slice "
        "to compare with; never an outcome.",
    ),
    truth("flagged", "effect above the threshold and q_value below alpha."),
    POOLED,
    IS_OUTCOME,
    text(
        "worse",
        "What is to a slice's disadvantage: smaller or larger than the rest, a deviation from zero either "
        "way, or negative; empty for a metric that slices differ in by nature and that is not tested.",
    ),
]
