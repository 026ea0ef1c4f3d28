"""How long stages took in earlier runs, from their logs: what is expected of the same stage now."""

import re
from itertools import islice
from pathlib import Path

_ENDED = re.compile(r" - (?P<step>\S+) - STEP_SUCCESS - .* in (?P<time>\S+?)\.?$")
_UNCHANGED = re.compile(r" - (?P<step>\S+) - unchanged: ")
_UNIT = re.compile(r"(?P<number>[\d.]+)(?P<unit>ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LOGS = 5


def earlier_durations(logs: Path) -> dict[str, float]:
    """Seconds of every stage in the newest of the last runs that had something to do for it."""
    known: dict[str, float] = {}
    for log in islice(sorted(logs.glob("run-*.log"), reverse=True), _LOGS):
        unchanged = set()
        with log.open(errors="replace") as lines:
            for line in lines:
                if same := _UNCHANGED.search(line):
                    unchanged.add(same["step"])
                elif (ended := _ENDED.search(line.rstrip())) and ended["step"] not in unchanged:
                    known.setdefault(ended["step"].replace("__", "/"), seconds_of(ended["time"]))
    return known


def seconds_of(text: str) -> float:
    """Seconds of a time as Dagster writes it: `850ms`, `2.68s`, `1m13s`."""
    return sum(float(part["number"]) * _SECONDS[part["unit"]] for part in _UNIT.finditer(text))
