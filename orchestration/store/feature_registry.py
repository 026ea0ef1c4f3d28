"""The feature store's register: which features exist, whose they are, and in which version.

Plain DuckDB on the pipeline's database; the features themselves are dbt's work.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

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
                sql_hash=sql_hash(manifest, key, variables),
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
    read = (node["name"] for node in lineage(manifest, key).values() if "name" in node)
    return sorted(name for name in read if name.startswith("feat_"))


def lineage(manifest: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A node, the nodes that it reads, and the project's macros that make them, all the way up."""
    own = {
        **manifest["nodes"],
        **manifest.get("unit_tests", {}),
        **{k: v for k, v in manifest["macros"].items() if ".fairtriage." in k},
    }
    read: dict[str, Any] = {}
    waiting = [key]
    while waiting:
        name = waiting.pop()
        if name in own and name not in read:
            read[name] = own[name]
            depends = own[name]["depends_on"]
            waiting += [*depends.get("nodes", []), *depends.get("macros", [])]
    return read


def sql_hash(manifest: Mapping[str, Any], key: str, variables: Mapping[str, Any]) -> str:
    """Hash of a model and of all that it reads, variables too: a feature changes when its history does."""
    read = lineage(manifest, key)
    texts = [_text(read[name]) for name in sorted(read)]
    named = sorted({name for text in texts for name in _VARIABLE.findall(text)})
    texts += [json.dumps([name, variables[name]]) for name in named]
    return _sha256(*(text.encode() for text in texts))


def _text(node: Mapping[str, Any]) -> str:
    """The code of a model, test or macro; of a seed, whose rows are not in the manifest, their hash."""
    return str(node.get("raw_code") or node.get("macro_sql") or node.get("checksum"))


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


def _sha256(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
