"""The feature store's books: which features exist, what they look like, and what a model was trained on.

Plain DuckDB on the pipeline's database; the features themselves are dbt's work.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ml.store.files import move_folder_into_place, write_atomically
from orchestration.store.warehouse import quoted
from orchestration.tables import FEATURE_STORE

DDL = "".join(table.ddl for table in FEATURE_STORE)
# A variable of the dbt project, as SQL names it.
_VARIABLE = re.compile(r"""\bvar\(\s*["'](\w+)""")
# Columns of a feature view that say whose value it is and since when it holds.
NOT_FEATURES = {"item_id", "event_at", "event_timestamp", "available_at"}


@dataclass(frozen=True)
class FeatureView:
    """One `feat_*` model as its dbt manifest entry describes it."""

    name: str
    entity: str
    owner: str
    ttl: str
    sql_hash: str
    descriptions: Mapping[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A training relation and its labels, frozen as Parquet under a content hash."""

    snapshot_id: str
    path: Path
    rows: int
    n_features: int
    is_new: bool


def feature_views(manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> list[FeatureView]:
    """Read the feature views from a dbt manifest, which was made with these variables.

    Raises
    ------
    ValueError
        A view declares no entity, owner or TTL, or leaves a column without description.
    """
    views = []
    for key, node in manifest["nodes"].items():
        if node["resource_type"] != "model" or not node["name"].startswith("feat_"):
            continue
        meta = node["config"].get("meta") or node.get("meta") or {}
        missing = [key for key in ("entity", "owner", "ttl") if not meta.get(key)]
        if missing:
            raise ValueError(f"The feature view {node['name']} declares no {', '.join(missing)} in its meta.")
        views.append(
            FeatureView(
                name=node["name"],
                entity=str(meta["entity"]),
                owner=str(meta["owner"]),
                ttl=str(meta["ttl"]),
                sql_hash=_sql_hash(manifest, key, variables),
                descriptions={
                    name: column["description"]
                    for name, column in node["columns"].items()
                    if name not in NOT_FEATURES
                },
            )
        )
    return sorted(views, key=lambda view: view.name)


def views_read_by(manifest: Mapping[str, Any], model: str) -> list[str]:
    """Names of the feature views that a model is made of, directly or by way of others."""
    (key,) = (key for key, node in manifest["nodes"].items() if node["name"] == model)
    read = (node["name"] for node in _lineage(manifest, key).values() if "name" in node)
    return sorted(name for name in read if name.startswith("feat_"))


def _lineage(manifest: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A node, the nodes that it reads, and the project's macros that make them, all the way up."""
    own = {**manifest["nodes"], **{k: v for k, v in manifest["macros"].items() if ".fairtriage." in k}}
    read: dict[str, Any] = {}
    waiting = [key]
    while waiting:
        name = waiting.pop()
        if name in own and name not in read:
            read[name] = own[name]
            depends = own[name]["depends_on"]
            waiting += [*depends.get("nodes", []), *depends.get("macros", [])]
    return read


def _sql_hash(manifest: Mapping[str, Any], key: str, variables: Mapping[str, Any]) -> str:
    """Hash of a model and of all that it reads, variables too: a feature changes when its history does."""
    read = _lineage(manifest, key)
    texts = [read[name].get("raw_code") or read[name]["macro_sql"] for name in sorted(read)]
    named = sorted({name for text in texts for name in _VARIABLE.findall(text)})
    texts += [json.dumps([name, variables[name]]) for name in named]
    return _sha256(*(text.encode() for text in texts))


def register_features(database: duckdb.DuckDBPyConnection, views: Iterable[FeatureView]) -> int:
    """Bring `feature_store.feature_registry` up to date; a view whose SQL changed gets a new version.

    Returns
    -------
    int
        Number of registered features.
    """
    database.execute(DDL)
    declared = pa.Table.from_pylist(
        [
            {
                "feature_view": view.name,
                "feature": feature,
                "entity": view.entity,
                "owner": view.owner,
                "description": description,
                "ttl": view.ttl,
                "sql_hash": view.sql_hash,
            }
            for view in views
            for feature, description in view.descriptions.items()
        ]
    )
    database.register("declared", declared)
    database.execute(
        """
        create or replace table feature_store.feature_registry as
        select
            declared.feature_view, declared.feature, columns.data_type as dtype, declared.entity,
            declared.owner, declared.description, declared.ttl, declared.sql_hash,
            case
                when known.version is null then 1
                when known.sql_hash = declared.sql_hash then known.version
                else known.version + 1
            end::integer as version
        from declared
        inner join duckdb_columns() as columns
            on declared.feature_view = columns.table_name and declared.feature = columns.column_name
            and columns.schema_name = 'features'
        left join feature_store.feature_registry as known
            on declared.feature_view = known.feature_view and declared.feature = known.feature
        order by declared.feature_view, columns.column_index
        """
    )
    database.unregister("declared")
    return int(database.sql("select count(*) from feature_store.feature_registry").fetchall()[0][0])


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
    write_atomically(snapshots_dir / f"{domain['name']}.txt", snapshot_id)
    rows, n_features = _record(database, snapshot_id, path, train, domain, is_feature, git_sha, views)
    return Snapshot(snapshot_id, path, rows, n_features, is_new)


def current_snapshot(snapshots_dir: Path, domain: str) -> Path:
    """Folder of the newest snapshot of a domain.

    Raises
    ------
    ValueError
        There is none yet; the sentence says how to get one.
    """
    pointer = snapshots_dir / f"{domain}.txt"
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


def _sha256(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
