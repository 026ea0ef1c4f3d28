"""The code location: gathers what the modules of `defs` define, and computes nothing.

A domain is the set of its modules: one that is taken away leaves the others working.
"""

import dagster as dg

import orchestration.defs
from orchestration.defs.automation import JOBS, SCHEDULES
from orchestration.defs.dbt import dbt_resource
from orchestration.defs.resources import Project

defs = dg.Definitions(
    assets=dg.load_assets_from_package_module(orchestration.defs),
    asset_checks=dg.load_asset_checks_from_package_module(orchestration.defs),
    jobs=JOBS,
    schedules=SCHEDULES,
    resources={"project": Project(), "dbt": dbt_resource},
    # Every step works on the same DuckDB file, which one process at a time can hold.
    executor=dg.in_process_executor,
)
