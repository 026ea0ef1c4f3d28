"""`make bench-scale`: seconds and peak memory per stage on multiples of an archive. Nothing here is asserted.

    python -m tests.bench_scale [--archive DIR] [--multiples 1 3 10] [--output bench_scale.json]

A multiple holds every repository so many times, each time under another name and with other people: as many
more repositories, none of them larger. Every stage runs in a process of its own in one warehouse; what each
takes to start is measured, too, and left out of the exponents.
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
    "dbt": ("key:raw_alerts or kind:dbt", {}),
    "snapshot": ("key:training_snapshot", {}),
    "median": ("key:trained_models", MEDIAN),
    "bias": ("key:bias_metrics", {}),
}
# What tells one copy of a record from another: a repository's or a person's name, or a number.
_OWN = re.compile(r'(?<="repository": ")([^"]+)|(?<="login": ")([^"]+)|(?<="id": )(\d+)')
_DAGSTER = [sys.executable, "-m", "dagster", "asset"]


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
            figures = {"start": run(["list", "--select", "key:raw_issues"], Path(folder))}
            figures |= {stage: measure(stage, Path(folder)) for stage in options.stages}
        report["multiples"][times] = {"records": records, "stages": figures}
        print(f"{times} times, {records} records: {json.dumps(figures)}", file=sys.stderr)
    report["exponents"] = exponents(report["multiples"], options.stages)
    report["machine"]["load_after"] = os.getloadavg()[0]
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    print(f"Exponents: {json.dumps(report['exponents'])}; written to {options.output}", file=sys.stderr)


def multiply(archive: Path, target: Path, times: int) -> int:
    """Write every dump so many times, each time as other repositories and people; return the records."""
    target.mkdir()
    records = 0
    for dump in sorted(archive.glob("*.jsonl.gz")):
        text = gzip.decompress(dump.read_bytes()).decode()
        between, *owns = (_OWN.split(text)[place::4] for place in range(4))
        for copy in range(times):
            with gzip.open(target / f"{copy}-{dump.name}", "wt", encoding="utf-8", compresslevel=1) as out:
                for piece, *own in zip(between, *([*one, None] for one in owns), strict=True):
                    out.write(piece + renamed(*own, copy))
        records += times * len(text.strip("\n").split("\n"))
    return records


def renamed(repository: str | None, login: str | None, number: str | None, copy: int) -> str:
    """The name or number that a copy has in place of the one that is given."""
    if number:
        return str(int(number) + copy * 10**12)
    name = repository or login or ""
    return f"{name}-{copy}" if name and copy else name


def measure(stage: str, folder: Path) -> dict[str, float]:
    """Materialize the assets of a stage; see `run`."""
    select, config = STAGES[stage]
    return run(["materialize", "--select", select, "--config-json", json.dumps(config)], folder)


def run(command: Sequence[str], folder: Path) -> dict[str, float]:
    """Wall and CPU seconds of a command of Dagster, and the largest memory of one of its processes (MB)."""
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
        words = [*_DAGSTER, *command, "-m", "orchestration.definitions"]
        process = subprocess.Popen(words, env=settings, cwd=ROOT, stdout=log, stderr=log)
        # What it used counts its children, too.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_memory_mb": usage.ru_maxrss // 1024,
    }


def exponents(multiples: Mapping[int, Any], stages: Sequence[str]) -> dict[str, float]:
    """Per stage, the power of the size that CPU time grows with from the last but one multiple to the last.

    What the stage takes to start is left out.
    """
    if len(multiples) < 2:
        return {}
    first, last = (multiples[times] for times in sorted(multiples)[-2:])
    size = math.log(last["records"] / first["records"])

    def work(multiple: Any, stage: str) -> float:
        seconds = {name: figures["cpu_seconds"] for name, figures in multiple["stages"].items()}
        return max(seconds[stage] - seconds["start"], 0.01)

    return {stage: round(math.log(work(last, stage) / work(first, stage)) / size, 2) for stage in stages}


if __name__ == "__main__":
    main()
