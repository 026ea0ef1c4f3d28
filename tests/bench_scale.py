"""`make bench-scale`: seconds and peak memory per stage on multiples of an archive. Nothing here is asserted.

    python -m tests.bench_scale [--archive DIR] [--multiples 1 3 10] [--output bench_scale.json]

A multiple holds every repository so many times, each time under another name and with other people: as many
more repositories, none of them larger. Every stage runs in a process of its own in one warehouse.
"""

import argparse
import gzip
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.paths import ISSUES, ROOT

MEDIAN = {"ops": {"trained_models": {"config": {"models": ["median"], "trials": 0}}}}
STAGES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "load": ("key:raw_issues", {}),
    "dbt": ("+key:training_snapshot and not (key:raw_issues or key:training_snapshot)", {}),
    "snapshot": ("key:training_snapshot", {}),
    "median": ("key:trained_models", MEDIAN),
    "bias": ("key:bias_metrics", {}),
}
_NAMES = re.compile(r'("(?:repository|login)": ")([^"]+)"')
_ID = re.compile(r'"id": (\d+)')


def main() -> None:
    """Measure every stage on every multiple, and write one JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_scale", description=__doc__)
    parser.add_argument("--archive", type=Path, default=ISSUES, help="folder of dumps")
    parser.add_argument("--multiples", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--stages", choices=STAGES, nargs="+", default=list(STAGES))
    parser.add_argument("--output", type=Path, default=ROOT / "bench_scale.json")
    options = parser.parse_args()
    if not any(options.archive.glob("*.jsonl.gz")):
        parser.error(f"{options.archive} holds no *.jsonl.gz: give a folder of dumps with --archive.")
    report = {"machine": machine(), "multiples": {}}
    for times in sorted(options.multiples):
        with tempfile.TemporaryDirectory() as folder:
            records = multiply(options.archive, Path(folder) / "archive", times)
            figures = {stage: measure(stage, Path(folder)) for stage in options.stages}
        report["multiples"][times] = {"records": records, "stages": figures}
        print(f"{times} times, {records} records: {json.dumps(figures)}", file=sys.stderr)
    report["exponents"] = exponents(report["multiples"], options.stages)
    report["machine"]["load_after"] = os.getloadavg()[0]
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    print(f"Exponents: {json.dumps(report['exponents'])}; written to {options.output}", file=sys.stderr)


def multiply(archive: Path, target: Path, times: int) -> int:
    """Write every dump so many times under other names; return the number of records."""
    target.mkdir()
    records = 0
    for dump in sorted(archive.glob("*.jsonl.gz")):
        lines = gzip.decompress(dump.read_bytes()).decode().splitlines()
        for copy in range(times):
            with gzip.open(target / f"{copy}-{dump.name}", "wt", encoding="utf-8", compresslevel=1) as out:
                out.writelines(renamed(line, copy) + "\n" for line in lines)
        records += times * len(lines)
    return records


def renamed(line: str, copy: int) -> str:
    """The record of another repository, with other people in it."""
    if not copy:
        return line
    line = _NAMES.sub(rf'\g<1>\g<2>-{copy}"', line)
    return _ID.sub(lambda found: f'"id": {int(found[1]) + copy * 10**12}', line)


def measure(stage: str, folder: Path) -> dict[str, float]:
    """Wall and CPU seconds of a stage, and the largest resident memory of one of its processes (MB)."""
    select, config = STAGES[stage]
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "orchestration.definitions"]
    command += ["--select", select, "--config-json", json.dumps(config)]
    home = folder / "dagster"
    home.mkdir(exist_ok=True)
    settings = {
        **os.environ,
        "ISSUES_SOURCE": "archive",
        "ISSUES_ARCHIVE": str(folder / "archive"),
        "WAREHOUSE_DIR": str(folder / "warehouse"),
        "DAGSTER_HOME": str(home),
    }
    started = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=settings, cwd=ROOT, stdout=log, stderr=log)
        # What it used counts its children, too.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"The stage {stage} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_memory_mb": usage.ru_maxrss // 1024,
    }


def exponents(multiples: Mapping[int, Any], stages: Sequence[str]) -> dict[str, float]:
    """Per stage, the power of the size that CPU time grows with, between the two largest multiples.

    Every stage starts Dagster: among small ones, that is what takes the time.
    """
    if len(multiples) < 2:
        return {}
    first, last = (multiples[times] for times in sorted(multiples)[-2:])
    size = math.log(last["records"] / first["records"])
    return {
        stage: round(
            math.log(last["stages"][stage]["cpu_seconds"] / first["stages"][stage]["cpu_seconds"]) / size, 2
        )
        for stage in stages
    }


if __name__ == "__main__":
    main()
