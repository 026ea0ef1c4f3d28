"""How old what is served may be, when it is run daily."""

from datetime import timedelta

import dagster as dg

# A day and the longest run: sooner it warns, later than that a run was missed.
DAILY = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=36))
