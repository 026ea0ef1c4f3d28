"""The dbt project as assets; the only room that imports dagster-dbt, which is told that dbt is not here.

dbt runs in processes of its own. Where its package is absent dagster-dbt does without it; otherwise it would
import it to know the names of states, and make its graph of the whole project, to select all of it.
"""

import sys
from importlib import import_module

if "dbt.version" not in sys.modules:
    sys.modules["dbt.version"] = None  # type: ignore[assignment]
    try:
        import_module("dagster_dbt")
    finally:
        del sys.modules["dbt.version"]
