"""Training snapshots: what a model is trained on, frozen as files under a hash of their content."""

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ml.store.files import move_folder_into_place, write_atomically
from orchestration.store.warehouse import quoted


@dataclass(frozen=True)
class Snapshot:
    """A training relation and its labels, frozen as Parquet under a content hash."""

    snapshot_id: str
    path: Path
    rows: int
    n_features: int
    is_new: bool


def take_snapshot(
    database: duckdb.DuckDBPyConnection,
    snapshots_dir: Path,
    *,
    train: str,
    label: str,
    domain: Mapping[str, Any],
    identify: Callable[[Path], str],
    is_feature: Callable[[str], bool],
    git_sha: str,
    views: Collection[str] = (),
    may_teach: Callable[[Path], bool] = lambda folder: True,
) -> Snapshot:
    """Freeze a training relation and its labels as `{snapshots_dir}/{snapshot_id}/`.

    The same rows give the same identifier, and a snapshot that exists and is whole is not written again.

    Parameters
    ----------
    train, label : str
        Names of the two relations in the schema `training`.
    domain : mapping
        The domain's block of configuration, written as `domain.json`.
    identify : callable (folder) -> str
        Says of the written files what their content is called.
    is_feature : callable (column) -> bool
        Says which columns of the training relation are features.
    views : collection of str
        The feature views that the training relation is made of.
    may_teach : callable (folder) -> bool
        Says whether models may learn from it; one that may not is kept, and the newest stays what it was.
    """
    snapshots_dir.mkdir(parents=True, exist_ok=True)
    # Whoever has the database open is alone here: what lies about is of a run that was killed.
    for left_over in snapshots_dir.glob(".*"):
        if left_over.is_dir():
            shutil.rmtree(left_over)
    folder = Path(tempfile.mkdtemp(dir=snapshots_dir, prefix=".new-"))
    try:
        folder.chmod(0o755)
        # One thread: parallel writers would cut the row groups differently from run to run.
        database.execute("set threads = 1")
        try:
            for relation, file, order in ((train, "train", "item_id, event_at"), (label, "label", "item_id")):
                database.execute(
                    f"copy (from training.{quoted(relation)} order by {order}) "
                    f"to '{_escaped(folder / f'{file}.parquet')}' (format parquet, compression zstd)"
                )
        finally:
            database.execute("reset threads")
        write_atomically(folder / "domain.json", json.dumps(dict(domain), indent=2))
        snapshot_id = identify(folder)
        path = snapshots_dir / snapshot_id
        is_new = not _is_whole(path, identify)
        if is_new:
            move_folder_into_place(folder, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if may_teach(path):
        write_atomically(current_pointer(snapshots_dir, domain["name"]), snapshot_id)
    rows, n_features = _record(database, snapshot_id, path, train, domain, is_feature, git_sha, views)
    return Snapshot(snapshot_id, path, rows, n_features, is_new)


def current_pointer(snapshots_dir: Path, domain: str) -> Path:
    """The file that names the newest snapshot of a domain."""
    return snapshots_dir / f"{domain}.txt"


def current_snapshot(snapshots_dir: Path, domain: str) -> Path:
    """Folder of the newest snapshot of a domain.

    Raises
    ------
    ValueError
        There is none yet; the sentence says how to get one.
    """
    pointer = current_pointer(snapshots_dir, domain)
    if not pointer.exists():
        raise ValueError(
            f"There is no training snapshot of {domain} below {snapshots_dir}: run the whole pipeline once "
            "with `make run`, or what stands before the models with --select '*training_snapshot'."
        )
    return snapshots_dir / pointer.read_text().strip()


def _is_whole(path: Path, identify: Callable[[Path], str]) -> bool:
    """Whether a snapshot is there and holds what its name says; a damaged one is written again."""
    try:
        return path.is_dir() and identify(path) == path.name
    except (ValueError, OSError):
        return False


def _record(
    database: duckdb.DuckDBPyConnection,
    snapshot_id: str,
    path: Path,
    train: str,
    domain: Mapping[str, Any],
    is_feature: Callable[[str], bool],
    git_sha: str,
    views: Collection[str],
) -> tuple[int, int]:
    relation = f"training.{quoted(train)}"
    known, file = {"snapshot": snapshot_id}, str(path / "train.parquet")
    features = ", ".join(quoted(name) for name in database.read_parquet(file).columns if is_feature(name))
    database.execute("delete from feature_store.feature_stats where snapshot_id = $snapshot", known)
    # Quantiles are approximate and depend on the order of the rows: the file's, read by one thread.
    database.execute("set threads = 1")
    try:
        database.execute(
            f"""
            insert into feature_store.feature_stats
            select
                $snapshot, column_name, column_type, count, null_percentage / 100, approx_unique,
                try_cast(avg as double), try_cast(std as double), min[:200], q25, q50, q75, max[:200]
            from (summarize (select {features} from read_parquet($file)))
            """,  # noqa: S608 - quoted
            {**known, "file": file},
        )
    finally:
        database.execute("reset threads")
    rows = int(database.sql(f"select count(*) from {relation}").fetchall()[0][0])  # noqa: S608
    n_features = int(
        database.execute(
            "select count(*) from feature_store.feature_stats where snapshot_id = $snapshot", known
        ).fetchall()[0][0]
    )
    database.execute("delete from feature_store.training_snapshots where snapshot_id = $snapshot", known)
    database.execute(
        """
        insert into feature_store.training_snapshots
        select
            $snapshot, $domain, $snapshot, $rows, $n_features,
            coalesce((
                select to_json(map_from_entries(list((feature_view, version) order by feature_view)))
                from (
                    select distinct feature_view, version from feature_store.feature_registry
                    where list_contains($views, feature_view)
                )
            ), '{}'),
            $git_sha, $path, now()::timestamp
        """,
        {
            **known,
            "domain": domain["name"],
            "rows": rows,
            "n_features": n_features,
            "git_sha": git_sha,
            "path": path.name,
            "views": list(views),
        },
    )
    return rows, n_features


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
