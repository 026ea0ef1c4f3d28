"""Facts that SQL and Python must agree on; their home is the block `vars` of dbt_project.yml."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from orchestration.settings import DBT_PROJECT_DIR, Settings

FACTS: Mapping[str, Any] = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())["vars"]


def dbt_arguments(command: str, settings: Settings) -> list[str]:
    """A dbt command with the variables of these settings.

    What was parsed with other variables is parsed again from the start: variables that are as dbt_project.yml
    has them are not named, so that set-up and run agree.
    """
    variables = settings.dbt_variables
    return [command] if variables.items() <= FACTS.items() else [command, "--vars", json.dumps(variables)]
