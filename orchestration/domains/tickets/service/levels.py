"""Service levels after dbt: differences between groups with their q-values, and the survival curves."""

import dagster as dg
import pandas as pd

from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import markdown_table, picture
from orchestration.defs.resources import Project
from orchestration.defs.unchanged import unless_unchanged
from orchestration.domains.tickets.domain import DOMAIN
from orchestration.store.results import replace_table
from orchestration.tables import SERVICE_DIFFERENCES, SERVICE_METRICS

CURVES = {"time_to_first_response": "unanswered", "time_to_close_final": "unresolved"}


def judge(compared: pd.DataFrame) -> pd.DataFrame:
    """Rows of `tickets.service_differences`: intervals and tests of differences of shares.

    Parameters
    ----------
    compared : DataFrame
        Columns of `int_service__comparison`: `value` is a difference, `standard_error` its own. The groups
        are large enough for the normal distribution; with too few authors nothing is judged.

    Notes
    -----
    The shares of a period hang together (answered within 7 and 30 days, by members and regulars), so the
    false-discovery rate over them is the one that holds under any dependence.
    """
    from scipy import stats

    from ml.bias import q_values
    from ml.stats.intervals import MIN_CLUSTERS

    error = compared["standard_error"].where(compared["n_authors"] >= MIN_CLUSTERS).where(lambda e: e > 0)
    half = stats.norm.ppf(0.975) * error
    judged = compared.assign(
        ci_low=compared["value"] - half,
        ci_high=compared["value"] + half,
        p_value=2 * stats.norm.sf((compared["value"] / error).abs()),
        q_value=float("nan"),
    )
    for _, own in judged.groupby("period")["p_value"]:
        judged.loc[own.index, "q_value"] = q_values(own.to_numpy(float), overlapping=True)
    return judged.rename(columns={"group_name": "group"})[list(SERVICE_DIFFERENCES.columns)]


@dg.asset(
    deps=["service_metrics", "int_service__comparison", "int_service__survival"],
    group_name="service",
    kinds={"duckdb"},
    op_tags=HOLDS_DATABASE,
)
@unless_unchanged()
def service_levels(project: Project) -> dg.MaterializeResult:
    """Who waits how long for an answer and for the end, in `tickets.service_metrics` and its differences."""
    from ml.reports.curves import survival_curves

    with project.database() as database:
        compared = database.sql("from intermediate.int_service__comparison").df()
        curves = database.execute(
            """
            select repository as panel, metric as line, hours, n_at_risk, survival, ci_low, ci_high
            from intermediate.int_service__survival
            where period = 'all' and group_name = 'all' and list_contains(?, metric)
            """,
            [list(CURVES)],
        ).df()
        differences = judge(compared)
        order = 'repository, period, metric, "group", reference'
        replace_table(database, SERVICE_DIFFERENCES, differences, order)
        medians = database.sql(
            """
            select repository, metric, n, value as hours, ci_low, ci_high, n_censored, reason
            from tickets.service_metrics
            where period = 'all' and "group" = 'all' and metric in
                ('time_to_first_response_median', 'time_to_close_final_median')
            order by all
            """
        ).df()
    rows = project.publish(DOMAIN)
    drawn = survival_curves(curves.replace({"line": CURVES}), "share of tickets that still wait")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows[SERVICE_METRICS.name],
            "dagster/column_schema": project.column_schema(SERVICE_METRICS.name),
            f"columns of {SERVICE_DIFFERENCES.name}": project.column_schema(SERVICE_DIFFERENCES.name),
            "differences_beyond_chance": int((differences["q_value"] < 0.05).sum()),
            "medians": dg.MetadataValue.md(markdown_table(medians)),
            "survival": picture(drawn, "Share of tickets that still wait, by repository"),
        }
    )
