"""Who waits for a first answer: newcomers against regulars, as it was and at equal mix. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

EVERYWHERE = "(all)"
# With fewer tickets on either side a repository's own difference says nothing.
_LEAST = 30
_CONFIDENCE = 0.95


def waiting_gaps(tickets: pd.DataFrame, horizons_days: Sequence[int]) -> pd.DataFrame:
    """Compare the shares of tickets that were not answered within each horizon.

    Parameters
    ----------
    tickets : DataFrame
        `event_at` (creation), `group_id` (repository and week), `slice_repo`, `slice_seniority` and
        `slice_label`; `y` (hours to the answer, null without one) and `observed_until`.
    horizons_days : sequence of int

    Returns
    -------
    DataFrame
        Rows of `tickets.response_gaps`: of each horizon one for all repositories and one for each that is
        large enough. Juniors are newcomers, mid and senior authors regulars, others neither. The mix is that
        of repositories and of the most frequent label; weeks of a repository are drawn as a whole.
    """
    from ml.bias import q_values

    known = tickets[tickets["slice_seniority"].isin(["junior", "mid", "senior"])]
    rows = [row for days in horizons_days for row in _of_horizon(known, days)]
    table = pd.DataFrame(rows)
    if not table.empty:
        table["q_value"] = q_values(table.pop("p_value").to_numpy(float), overlapping=True)
    return table


def _of_horizon(tickets: pd.DataFrame, days: int) -> Iterator[dict[str, Any]]:
    in_time = (tickets["y"] <= 24 * days).to_numpy()
    settled = tickets["observed_until"] >= tickets["event_at"] + pd.Timedelta(days=days)
    decided = tickets[in_time | settled.to_numpy()]
    for repository, own in [(EVERYWHERE, decided), *decided.groupby("slice_repo", sort=True)]:
        is_new = (own["slice_seniority"] == "junior").to_numpy()
        if min(is_new.sum(), (~is_new).sum()) >= _LEAST:
            yield {"repository": repository, "horizon_days": days, **_compared(own, is_new, days)}


def _compared(tickets: pd.DataFrame, is_new: Any, days: int) -> dict[str, Any]:
    from scipy import special

    from ml.bias import adjusted_difference, encode_dimension, strata_of, two_sided_p

    waits = np.asarray(~(tickets["y"] <= 24 * days), dtype=np.float64)
    mix = [encode_dimension(tickets[name]) for name in ("slice_repo", "slice_label")]
    strata = strata_of(mix, np.arange(len(tickets)), "", ("repo", "label"))
    assert strata is not None  # both are there
    weeks = np.unique(tickets["group_id"], return_inverse=True)[1]
    adjusted = adjusted_difference(waits, is_new, strata, weeks)
    difference, error, degrees = (adjusted[key] for key in ("difference", "standard_error", "degrees"))
    half = special.stdtrit(max(degrees, 1), (1 + _CONFIDENCE) / 2) * error
    shares = {"newcomers": waits[is_new].mean(), "regulars": waits[~is_new].mean()}
    tested = two_sided_p(np.array([difference]), np.array([error]), np.array([degrees]))
    return {
        "n_newcomers": int(is_new.sum()),
        "n_regulars": int((~is_new).sum()),
        "share_waiting_newcomers": shares["newcomers"],
        "share_waiting_regulars": shares["regulars"],
        "raw_difference": shares["newcomers"] - shares["regulars"],
        "adjusted_difference": difference,
        "ci_low": difference - half,
        "ci_high": difference + half,
        "overlap": adjusted["overlap"],
        "p_value": tested[0] if np.isfinite(error) else np.nan,
    }
