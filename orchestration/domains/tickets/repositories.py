"""Where the tickets come from, one row per repository: for everybody who asks how old and how real it is."""

import duckdb

from orchestration.store.results import replace_table
from orchestration.tables import REPOSITORIES


def load_repositories(database: duckdb.DuckDBPyConnection) -> None:
    """Replace `tickets.repositories` by what was loaded."""
    rows = database.sql(
        """
        select
            repository,
            max(source) as source,
            bool_and(source = 'sample') as is_synthetic,
            count(*) as records,
            max(fetched_at) as fetched_at,
            min(created_at) as observed_from,
            max(updated_at) as observed_until
        from raw.issues
        group by repository
        """
    ).df()
    replace_table(database, REPOSITORIES, rows, "repository")
