"""When things run, what happens to a run that failed or died, and what is kept of earlier ones."""

from orchestration.defs.automation.jobs import JOBS
from orchestration.defs.automation.schedules import SCHEDULES, SENSORS

__all__ = ["JOBS", "SCHEDULES", "SENSORS"]
