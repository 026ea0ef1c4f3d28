"""Survival curves as a picture: a panel per group, whatever the curves are like."""

import struct

import pandas as pd
import pytest

from ml.reports.curves import survival_curves


def curves(panels: int, lines: int = 2, steps: int = 20) -> pd.DataFrame:
    rows = [
        (
            f"p{panel}",
            f"line {line}",
            0.5 + step**3,
            steps - step,
            survival := 1 - step / steps,
            survival,
            1.0,
        )
        for panel in range(panels)
        for line in range(lines)
        for step in range(steps)
    ]
    return pd.DataFrame(
        rows, columns=["panel", "line", "hours", "n_at_risk", "survival", "ci_low", "ci_high"]
    )


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


def test_more_panels_make_a_higher_picture_until_there_are_enough() -> None:
    heights = [size(survival_curves(curves(panels), "waits", most=8))[1] for panels in (1, 4, 5, 8, 30)]
    assert heights[0] == heights[1] < heights[2] == heights[3] == heights[4]


def test_curves_that_look_different_make_different_pictures() -> None:
    one = curves(2)
    other = one.assign(survival=one["survival"] ** 2, ci_low=one["ci_low"] ** 2)
    assert survival_curves(one, "waits") == survival_curves(one, "waits")
    assert survival_curves(one, "waits") != survival_curves(other, "waits")
    assert survival_curves(one, "waits") != survival_curves(one.assign(ci_low=0.0), "waits")


@pytest.mark.parametrize(
    "odd",
    [
        curves(0),
        curves(1, lines=1, steps=1),
        curves(3)[lambda rows: (rows["panel"] != "p1") | (rows["line"] != "line 0")],
        curves(2).assign(hours=0.0),
        curves(2).assign(ci_low=float("nan"), ci_high=float("nan")),
    ],
    ids=["none", "one step", "a line is missing", "no time passes", "no interval"],
)
def test_odd_curves_are_drawn(odd: pd.DataFrame) -> None:
    assert size(survival_curves(odd, "waits"))[0] > 500
