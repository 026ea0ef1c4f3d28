"""The dbt command, which takes up what was parsed for another warehouse.

dbt counts the path of its database and the memory that it may take among what a model may be written by, and
would parse the whole project again, for seconds, wherever either is another one. No model of ours reads them.
"""

import gc
import sys
from pathlib import Path

# Without -P the modules beside this one would be found in place of others that have their names.
DBT: tuple[str, ...] = (sys.executable, "-P", str(Path(__file__)))


def main() -> None:
    """Run dbt with the arguments of this process."""
    # It keeps nearly all that it makes: to look for garbage as often as usual takes a fifth of its start.
    gc.set_threshold(100_000)
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.cli.main import cli

    # What is hashed has no public name; without this line dbt would parse again, and nothing else.
    DuckDBCredentials._connection_keys = lambda self: ("database", "schema")  # type: ignore[method-assign]
    cli()


if __name__ == "__main__":
    main()
