"""Facts that SQL and Python must agree on; their home is the block `vars` of dbt_project.yml."""

from collections.abc import Mapping
from typing import Any

import yaml

from orchestration.settings import DBT_PROJECT_DIR

FACTS: Mapping[str, Any] = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())["vars"]
