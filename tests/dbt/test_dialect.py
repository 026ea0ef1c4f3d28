"""One SQL for two engines: what only one of them understands stands in the dialect layer."""

import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from tests.dbt.conftest import Dbt, Models
from tests.paths import ROOT

DBT = ROOT / "dbt_project"
DIALECT = DBT / "macros" / "dialect"
# Words of SQL that stand before a bracket, as functions do.
WORDS = {
    *("all", "and", "any", "as", "asof", "between", "by", "case", "cast", "decimal", "distinct", "else"),
    *("exists", "filter", "from", "group", "if", "in", "interval", "is", "join", "match_condition", "not"),
    *("null", "on", "or", "over", "partition", "select", "struct", "then", "try_cast", "union", "using"),
    *("values", "when", "where", "with"),
}
# Of Jinja and dbt.
JINJA = {
    *(
        "append",
        "config",
        "dispatch",
        "env_var",
        "get",
        "indent",
        "index",
        "items",
        "join",
        "keys",
        "mark",
        "quote",
    ),
    *("raise_compiler_error", "ref", "replace", "return", "run_query", "source", "var", "namespace", "set"),
}
# Spellings of one engine that are no functions.
ONE_ENGINE = {
    "a join as of a time": r"\basof\b",
    "a union by name": r"\bby name\b",
    "a list in square brackets": r"(?<![\w\]])\[",
    "a cast to varchar": r"::\s*(varchar|text|json|timestamptz)\b",
    "a lambda": r"\blambda\b|\w -> ",
    "the JSON arrow": r"->>",
    "whole division": r"[\w)] // ",
    "a power": r" \^ ",
    "a filter without where": r"filter \((?!\s*where)",
    "a name in double quotes": r'(?:\bas |\.)"\w+"',
}


def sources() -> dict[str, str]:
    """Every model and macro outside of the dialect layer, without comments and texts."""
    files = [
        *(DBT / "models").rglob("*.sql"),
        *(DBT / "macros").rglob("*.sql"),
        *(DBT / "tests").rglob("*.sql"),
    ]
    return {
        str(file.relative_to(DBT)): re.sub(r"--.*|'[^']*'", "", file.read_text())
        for file in files
        if DIALECT not in file.parents
    }


def called(sql: str) -> set[str]:
    bare = re.sub(r"--.*|'[^']*'", "", sql)
    return {name.lower() for name in re.findall(r"(?<![\w.\"'])([a-zA-Z_]\w*)\(", bare)} - WORDS


def of_duckdb(names: Iterable[str]) -> set[str]:
    with duckdb.connect() as database:
        known = {
            name for (name,) in database.execute("select function_name from duckdb_functions()").fetchall()
        }
    # The parser makes these.
    return set(names) & (known | {"coalesce", "nullif", "trim", "unnest", "row", "extract", "position"})


def of_spark(names: Iterable[str]) -> set[str]:
    functions = pytest.importorskip(
        "pyspark.sql.functions", reason="pyspark is not installed: make setup-cluster"
    )
    known = {name.lower() for name, _ in inspect.getmembers(functions)}
    return set(names) & (known | {"array", "exists", "left", "if", "cardinality", "rank"})


@pytest.mark.parametrize("what", ONE_ENGINE)
def test_no_spelling_of_one_engine_stands_outside_of_the_dialect_layer(what: str) -> None:
    sql = {name: re.sub(r"(?s){[{%].*?[%}]}", "", text) for name, text in sources().items()}
    found = {name for name, text in sql.items() if re.search(ONE_ENGINE[what], text)}
    assert not found, f"{what} in {sorted(found)}"


@pytest.mark.cluster
def test_both_engines_have_every_function_outside_of_the_dialect_layer() -> None:
    macros = {
        name
        for file in (DBT / "macros").rglob("*.sql")
        for name in re.findall(r"{% macro (\w+)", file.read_text())
    } | {"sound", "all_read", "same_rows"}
    # Regular expressions among the macros are in double quotes.
    names = {name: called(re.sub(r'"[^"]*"', "", sql)) - macros - JINJA for name, sql in sources().items()}
    assert sum(map(len, names.values())) > 200
    every = set().union(*names.values())
    common = of_duckdb(every) & of_spark(every)
    assert not {name: own - common for name, own in names.items() if own - common}


def test_duckdb_has_every_function_of_its_models(models: Models) -> None:
    every = set().union(*(called(sql) for _, sql in models))
    assert {"epoch", "regexp_matches"} <= every and every == of_duckdb(every)


@pytest.mark.cluster
def test_spark_has_every_function_of_its_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dbt.adapters.spark", reason="dbt-spark is not installed: make setup-cluster")
    monkeypatch.setenv("DBT_TARGET", "spark")
    dbt = Dbt(tmp_path)
    done = dbt("compile", "--quiet", "--no-introspect", "--no-populate-cache")
    assert done.returncode == 0, done.stdout
    compiled = [sql for name, sql in dbt.compiled() if "read_csv" not in sql]
    every = set().union(*(called(sql) for sql in compiled))
    assert len(compiled) > 100 and "unix_micros" in every and every == of_spark(every)
    assert not any(re.search(r"\basof left\b|\bunnest\(|json_transform", sql) for sql in compiled)
