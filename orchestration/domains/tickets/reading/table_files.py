"""CSV and Parquet files with the columns of the contract, read by DuckDB, as lines of JSON."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from orchestration.domains.tickets.reading.file_kinds import FileKind
from orchestration.domains.tickets.reading.json_stream import UnreadableError

_ROWS = 500
_MEMORY_LIMIT = "256MB"
# What other programs write for "no value" in CSV, where only text can stand.
_NO_VALUE = ["", "NaN", "nan", "NaT", "None", "null", "NULL", "<NA>"]
# All of a CSV file is text: guessed types would depend on the rows. What must be a number is made one.
_READERS = {
    "csv": """
        select * replace (coalesce(try_cast(number as bigint)::json, to_json(number)) as number)
        from (select null as number where false union all by name
            from read_csv(
                $path, all_varchar = true, header = true, compression = $compression, nullstr = $no_value))
    """,
    "parquet": "from read_parquet($path)",
}


def read_rows(path: Path, kind: FileKind) -> Iterator[bytes]:
    """Yield each row as a JSON object; a column of nested values becomes nested JSON.

    Raises
    ------
    UnreadableError
        If DuckDB cannot read the file.
    """
    parameters: dict[str, object] = {"path": _literally(path)}
    if kind.format == "csv":
        parameters |= {"compression": "gzip" if kind.is_packed else "none", "no_value": _NO_VALUE}
    with duckdb.connect() as database:
        database.execute(f"set memory_limit = '{_MEMORY_LIMIT}'; set threads = 1; set TimeZone = 'UTC'")
        try:
            query = f"select to_json(row)::varchar from ({_READERS[kind.format]}) as row"  # noqa: S608
            for batch in database.sql(query, params=parameters).to_arrow_reader(_ROWS):
                for text in batch.column(0).to_pylist():
                    yield text.encode()
        except duckdb.Error as error:
            reason = str(error).strip().split("\n")[0].replace(str(path), path.name)
            raise UnreadableError(f"cannot be read as {kind.format.upper()}: {reason}") from None


def _literally(path: Path) -> str:
    """The path, so that DuckDB takes no character of it for a wildcard."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))
