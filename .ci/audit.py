"""Ask the package index for known holes of the locked packages: at most once a day, and never for long.

A hole that an update closes fails; one that none closes, and an index that does not answer, are only told.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DAY = 24 * 3600.0


def main() -> int:
    """Exit with 1 where an update would close a hole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    parser.add_argument("--stamp", type=Path, default=Path(".venv/.audited"), help="what the last audit said")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it may take")
    options = parser.parse_args()
    if not is_fresh(options.stamp, options.lock):
        closable, told = audit(options.lock, options.seconds)
        if closable:
            print("\n".join([*closable, told]), file=sys.stderr)
            return 1
        options.stamp.write_text(told)
    print(options.stamp.read_text())
    return 0


def is_fresh(stamp: Path, lock: Path) -> bool:
    """Whether these packages have been asked about today."""
    if not stamp.exists():
        return False
    asked = stamp.stat().st_mtime
    return asked > lock.stat().st_mtime and time.time() - asked < DAY


def audit(lock: Path, seconds: float) -> tuple[list[str], str]:
    """The holes that an update closes, a sentence each, and what else is to be told."""
    command = ["pip-audit", "--requirement", str(lock), "--no-deps", "--disable-pip", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return [], f"pip-audit: not done, the package index did not answer within {seconds:g} s."
    except (OSError, ValueError, KeyError):
        return [], "pip-audit: not done, the package index cannot be reached."
    found = [(package, hole) for package in packages for hole in package.get("vulns", ())]
    closable = [
        f"pip-audit: {package['name']} {package['version']} has {hole['id']}, closed by"
        f" {', '.join(hole['fix_versions'])}: run make lock."
        for package, hole in found
        if hole["fix_versions"]
    ]
    open_holes = [f"{package['name']} {hole['id']}" for package, hole in found if not hole["fix_versions"]]
    told = f"pip-audit: {len(packages)} packages, {len(open_holes)} holes that no update closes"
    told += f" ({', '.join(open_holes)})" if open_holes else ""
    unknown = sum("skip_reason" in package for package in packages)
    told += f"; the index told nothing about {unknown} of them." if unknown else "."
    return closable, told


if __name__ == "__main__":
    sys.exit(main())
