"""Facts that SQL and Python must agree on; their home is the block `vars` of dbt_project.yml."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from orchestration.settings import DBT_PROJECT_DIR


@cache
def fact(name: str, project_dir: Path = DBT_PROJECT_DIR) -> Any:
    """Value of a variable of the dbt project.

    Raises
    ------
    KeyError
        The project has no such variable.
    """
    project = yaml.safe_load((project_dir / "dbt_project.yml").read_text())
    return project["vars"][name]
