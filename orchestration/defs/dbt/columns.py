"""What the UI shows of a table that dbt made: its rows, the types of its columns, and what each is made of.

dagster-dbt would ask the database for all of it, which dbt holds until everything is built. Here dbt tells
rows and types, and sqlglot needs no more than the columns that the project declares.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from sqlglot import MappingSchema, exp
from sqlglot.lineage import lineage

from orchestration.store.column_lineage import Lineage
from orchestration.store.warehouse import Relation

# A source, model or seed of dbt's manifest.
Node = Mapping[str, Any]


def column_lineage(sql: str, readable: MappingSchema) -> Lineage:
    """Say which columns of other tables go into the value of each column of a query.

    A row that is only counted, or asked for whether it is there, gives no value.

    Parameters
    ----------
    sql : str
        The query.
    readable : MappingSchema
        The tables that it may read with their columns, and the dialect of it all.
    """
    columns = lineage(None, sql, readable, dialect=readable.dialect, trim_selects=False)
    return {
        name: sorted(
            {
                (f"{read.expression.db}.{read.expression.name}", exp.to_column(read.name).name)
                for read in made_of.walk()
                if isinstance(read.expression, exp.Table)
            }
        )
        for name, made_of in columns.items()
    }


class ShownColumns:
    """What is known of each table of a dbt project: before a run from the database, during it from dbt.

    Parameters
    ----------
    manifest : mapping
        Of the project.
    dialect : str
        Of its SQL.
    relations : mapping of str to Relation
        What the database holds, by `schema.table`.
    recorded : mapping of str to Lineage
        What is known of it.
    asset_key : callable
        Gives the asset of a node.

    Attributes
    ----------
    traced : dict of str to Lineage
        What was found in this run, by `schema.table`.
    untraced : list of str
        The tables whose SQL sqlglot could not resolve.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        dialect: str,
        relations: Mapping[str, Relation],
        recorded: Mapping[str, Lineage],
        asset_key: Callable[[Node], dg.AssetKey],
    ) -> None:
        made = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
        self._nodes: dict[str, Node] = {node["unique_id"]: node for node in made}
        known = [*made, *manifest["sources"].values()]
        self._assets = {_relation(node): asset_key(node) for node in known}
        self._relations, self._recorded = relations, recorded
        self._rows: dict[str, int] = {}
        self.traced: dict[str, Lineage] = {}
        self.untraced: list[str] = []
        self._readable = MappingSchema(dialect=dialect)
        # Raw tables lie there; what a model has, its yml says even before it is built.
        columns = {relation: list(there.types) for relation, there in relations.items()}
        for relation, names in (columns | {_relation(node): list(node["columns"]) for node in made}).items():
            if relation in self._assets:
                self._readable.add_table(relation, dict.fromkeys(names, "unknown"))
        # Where a model is built by key, its SQL as dbt runs it reads which keys have changed.
        for node in made:
            if node["config"]["materialized"] == "by_key":
                self._readable.add_table(f"carried.{node['alias']}__changed", {"key": "unknown"})

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take up what `tell_table` of the dbt project says of the rows of a table that was built."""
        if event["info"]["name"] == "JinjaLogInfo" and event["info"]["msg"].endswith(" rows"):
            key = event["data"]["node_info"]["unique_id"]
            self._rows[key] = int(event["info"]["msg"].removesuffix(" rows"))

    def built(self, key: str, target: Path) -> dict[str, Any]:
        """Metadata of a model or seed that was built; `target` is the folder where dbt compiled it.

        The types of its columns dagster-dbt shows by itself.
        """
        node = self._nodes[key]
        relation = _relation(node)
        self.traced[relation] = {}
        if node["resource_type"] == "model":
            compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
            try:
                self.traced[relation] = column_lineage(compiled.read_text(), self._readable)
            except Exception:  # sqlglot fails in many ways, and a table is no worse without the picture of it
                self.untraced.append(relation)
        return self._metadata(self._rows.get(key), self.traced[relation])

    def unchanged(self, key: str) -> dict[str, Any]:
        """Metadata of a model or seed that is as it was before the run."""
        relation = _relation(self._nodes[key])
        rows, types = self._relations.get(relation, Relation(None, {}))
        # What the columns mean stands in the definition, and the UI shows both together.
        schema = dg.TableSchema([dg.TableColumn(name, dtype) for name, dtype in types.items()])
        return {"dagster/column_schema": schema} | self._metadata(rows, self._recorded.get(relation, {}))

    def _metadata(self, rows: int | None, made_of: Lineage) -> dict[str, Any]:
        # A view has no number of rows.
        shown: dict[str, Any] = {} if rows is None else {"dagster/row_count": rows}
        assets = self._assets
        columns = {
            column: [dg.TableColumnDep(assets[table], name) for table, name in read if table in assets]
            for column, read in made_of.items()
        }
        if columns:
            # The first is Dagster's own, which its open-source UI hides.
            shown["dagster/column_lineage"] = dg.TableColumnLineage(columns)
            shown["made_of"] = dg.MetadataValue.md(_as_table(columns))
        return shown


def _as_table(columns: Mapping[str, list[dg.TableColumnDep]]) -> str:
    """Markdown that leads to the assets."""
    rows = [
        f"| {column} | {', '.join(_linked(dep.asset_key, dep.column_name) for dep in read)} |"
        for column, read in columns.items()
    ]
    return "\n".join(["| column | is made of |", "| --- | --- |", *rows])


def _linked(asset: dg.AssetKey, column: str) -> str:
    return f"[{asset.to_user_string()}](/assets/{'/'.join(asset.path)}).{column}"


def _relation(node: Node) -> str:
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"
