"""The code location: gathers what the machinery and the domains define, and computes nothing.

A domain is a folder below `domains`: one that is taken away leaves the others working.
"""

import importlib

import dagster as dg

import orchestration.defs
import orchestration.domains
from orchestration.defs.automation import JOBS, SCHEDULES, SENSORS
from orchestration.defs.dbt.project import dbt_resource
from orchestration.defs.dressing import dressed
from orchestration.defs.executor import chosen_executor
from orchestration.defs.resources import Project
from orchestration.domains import registry

ROOMS = (orchestration.defs, orchestration.domains)
DOMAINS = {name: importlib.import_module(f"orchestration.domains.{name}") for name in registry()}

defs = dg.Definitions(
    assets=[
        *dressed(dg.load_assets_from_package_module(orchestration.defs)),
        *(
            asset
            for name, domain in DOMAINS.items()
            for asset in dressed(dg.load_assets_from_package_module(domain), domain=name)
        ),
    ],
    asset_checks=[check for room in ROOMS for check in dg.load_asset_checks_from_package_module(room)],
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=SENSORS,
    resources={"project": Project(), "dbt": dbt_resource},
    executor=chosen_executor(),
)
