"""When models are trained again although nobody asks: the tickets have drifted, or many more have ended.

For those who refresh every day and train seldom: the sensor looks at what the last refresh has left.
"""

from pathlib import Path

import dagster as dg
import duckdb

from orchestration.defs.automation.jobs import everything
from orchestration.settings import Settings

DRIFT = dg.AssetCheckKey(dg.AssetKey("best_model"), "drift")
# Enough new ends: a tenth of those that were learned from, and never for a handful.
SHARE, FEW = 0.1, 50


def reason_to_train(settings: Settings, has_drifted: bool) -> tuple[str, str] | None:
    """The newest snapshot of the tickets and why models should learn from it; None when they need not.

    Parameters
    ----------
    settings : Settings
    has_drifted : bool
        What the check `drift` said last.
    """
    pointer = settings.snapshots_dir / "tickets.txt"
    learned = _learned_from(settings.published_database)
    if learned is None or not pointer.is_file():
        return None
    newest = pointer.read_text().strip()
    if newest == learned:
        return None
    if has_drifted:
        return newest, "The tickets have drifted from those that the champion learned from."
    before, now = (_ends(settings.snapshots_dir / name) for name in (learned, newest))
    if before is not None and now is not None and now - before >= max(SHARE * before, FEW):
        return newest, f"{now - before:,} more tickets have ended than the {before:,} that were learned from."
    return None


@dg.sensor(job=everything, minimum_interval_seconds=600)
def retraining(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Run everything when the tickets have drifted, or a tenth more have ended than were learned from."""
    last = context.instance.get_latest_asset_check_evaluation_record(DRIFT)
    has_drifted = last is not None and last.status.value == "FAILED"
    found = reason_to_train(Settings.from_environment(), has_drifted)
    if found is None:
        return dg.SkipReason("What the models learned from is recent enough.")
    snapshot, why = found
    context.log.info(why)
    # Once per snapshot, whatever comes of it.
    return dg.RunRequest(run_key=snapshot, tags={"why": why})


def _learned_from(published: Path) -> str | None:
    """The snapshot that the leaderboard of the hours was trained on."""
    if not published.is_file():
        return None
    with duckdb.connect(str(published), read_only=True) as database:
        found = database.execute(
            """
            select snapshot_id from ml.runs inner join ml.models using (run_id, domain)
            where domain = 'tickets' and task = 'regression'
            order by finished_at desc limit 1
            """
        ).fetchall()
    return found[0][0] if found else None


def _ends(snapshot: Path) -> int | None:
    """How many tickets of a snapshot have ended; None when it is not kept any more."""
    labels = snapshot / "label.parquet"
    if not labels.is_file():
        return None
    query = "select count(*) from read_parquet(?) where not is_censored"
    return duckdb.execute(query, [str(labels)]).fetchall()[0][0]
