"""What is looked at in every run, as asset checks: has the data changed in number, or in kind?"""

from typing import TYPE_CHECKING

import dagster as dg
import duckdb

from orchestration.defs.executor import HOLDS_DATABASE, PRIORITY
from orchestration.defs.metadata import markdown_table, short
from orchestration.defs.resources import Project
from orchestration.defs.training import read_dataset
from orchestration.domains.tickets.domain import DOMAIN
from orchestration.domains.tickets.leaderboard import TASK
from orchestration.store.snapshots import current_snapshot
from orchestration.tables import REPOSITORIES

if TYPE_CHECKING:
    import pandas as pd

    from ml.data.dataset import Dataset

# Above this a shift is commonly called large; what chance alone would do counts, too.
LARGE_SHIFT = 0.25
MANY = 0.5
HOURS = "predicted hours"
# A repository that loses so much of its records, or grows to so many times of them, is looked at.
LOST, GROWN, FEW = 0.1, 3.0, 100


@dg.asset_check(
    asset="raw_issues",
    description="No repository lost records or grew as if by a mistake. It warns and does not block: a new "
    "dump may well treble a repository, and what is published of the others is right all the same.",
    op_tags=HOLDS_DATABASE,
)
def volume(project: Project) -> dg.AssetCheckResult:
    """Records per repository against those of the run before; the sample may go when real ones come."""
    with project.database() as database:
        odd = odd_volumes(database)
    return dg.AssetCheckResult(
        passed=odd.empty,
        severity=dg.AssetCheckSeverity.WARN,
        description="As before, or more." if odd.empty else "Look at the source: see the table.",
        metadata={"repositories": dg.MetadataValue.md(markdown_table(odd))} if len(odd) else {},
    )


def odd_volumes(database: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    """Repositories whose number of records is not what is expected of one more day: before and now."""
    known = database.execute(
        "select count(*) from duckdb_tables() where schema_name = 'published' and table_name = ?",
        [REPOSITORIES.name],
    ).fetchall()
    nothing = "(select '' as repository, 0 as records, false as is_synthetic limit 0)"
    before = f'published."{REPOSITORIES.name}"' if known[0][0] else nothing
    return database.execute(
        f"""
        with today as (select repository, count(*) as records from raw.issues group by repository)

        select before.repository, before.records as before, coalesce(today.records, 0) as now
        from {before} as before left join today using (repository)
        where
            not before.is_synthetic
            and (
                coalesce(today.records, 0) < before.records * (1 - $lost)
                or today.records > greatest(before.records, $few) * $grown
            )
        order by before.repository
        """,  # noqa: S608 - our own names
        {"lost": LOST, "few": FEW, "grown": GROWN},
    ).df()


@dg.asset_check(
    asset="best_model",
    # It looks at the newest snapshot, also where nothing is trained after it.
    additional_deps=["training_snapshot"],
    op_tags={PRIORITY: "0"},
    description="The newest tickets are like those the champion learned from. It warns and does not block: "
    "predictions are less sure than they were, and training again, which it asks for, is what helps.",
)
def drift(project: Project) -> dg.AssetCheckResult:
    """Population stability of every feature and of the predicted hours, beside what chance would do."""
    from ml.store.promotions import Promotions, kept_folder

    settings = project.settings()
    champion = Promotions(settings.runs_dir).champion(DOMAIN.name, TASK)
    learned_from = settings.snapshots_dir / champion.snapshot_id if champion else None
    if champion is None or learned_from is None or not learned_from.is_dir():
        return dg.AssetCheckResult(passed=True, description="There is no champion to compare with.")
    newest = current_snapshot(settings.snapshots_dir, "tickets")
    now = read_dataset(newest)
    before = now if newest == learned_from else read_dataset(learned_from)
    hours = kept_folder(settings.runs_dir, champion.to_version).predictions(champion.model)
    table = shifts(before, now, hours)
    moved = table[(table["psi"] > LARGE_SHIFT) & (table["psi"] > table["noise"])]
    # Ages and counts grow by nature: what the model makes of all columns, or very many of them, must move.
    passed = HOURS not in set(moved["column"]) and len(moved) < len(table) * MANY
    told = f"{len(moved)} of {len(table)} columns have moved: {', '.join(moved['column'].head(5))}."
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=told if len(moved) else "Nothing has moved.",
        metadata={
            "moved": len(moved),
            "columns": len(table),
            "largest": short(table["psi"].max()),
            "most_moved": dg.MetadataValue.md(markdown_table(table.head(15))),
        },
    )


def shifts(before: "Dataset", now: "Dataset", hours: "pd.DataFrame") -> "pd.DataFrame":
    """Column, psi and noise of every feature and of the predicted hours, the largest first.

    Parameters
    ----------
    before, now : Dataset
        What the champion learned from, of which the training part counts, and the newest snapshot, of which
        the test part counts: the end of each repository's timeline.
    hours : DataFrame
        The champion's predictions: those of its validation part against those of its test part.
    """
    import pandas as pd

    from ml.data.parts.splits import split_by_time
    from ml.stats.drift import population_stability

    learned = before.items[split_by_time(before).part == "train"]
    newest = now.items[split_by_time(now).part == "test"]
    pairs = {name: (learned[name], newest[name]) for name in before.features if name in newest}
    parts = dict(list(hours.groupby("split")["y_pred"]))
    if {"validation", "test"} <= set(parts):
        pairs[HOURS] = (parts["validation"], parts["test"])
    found = {
        name: population_stability(*pair)
        for name, pair in pairs.items()
        if len(pair[0]) and len(pair[1]) and not _is_prose(pair[0])
    }
    rows = [(name, one.value, one.noise, one.n_expected, one.n_actual) for name, one in found.items()]
    table = pd.DataFrame(rows, columns=["column", "psi", "noise", "n_learned", "n_newest"])
    return table.sort_values(["psi", "column"], ascending=[False, True], ignore_index=True)


def _is_prose(values: "pd.Series") -> bool:
    """Whether nearly every value is another one, as titles are: they have no distribution to compare."""
    import pandas as pd

    is_text = not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values))
    return is_text and values.astype("string").nunique() > len(values) / 2
