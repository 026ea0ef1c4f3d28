"""The commands about the champion: its history, a step back, the proof that a version can be made again."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ml.cli.runs import RUNS_DIR

NOT_THE_SAME = 2


def register(commands: Any) -> None:
    """Add ``promotions``, ``who-was-champion``, ``rollback`` and ``reproduce`` to the command line."""
    listing = commands.add_parser(
        "promotions", help="print every change of the champion, with figures and why"
    )
    _runs(listing)
    listing.set_defaults(run=_promotions)

    asking = commands.add_parser("who-was-champion", help="print the champion at a time")
    _runs(asking)
    _task(asking)
    asking.add_argument(
        "--at", metavar="TIME", help="ISO time, UTC unless it says otherwise; now if left out"
    )
    asking.set_defaults(run=_who)

    back = commands.add_parser("rollback", help="make the champion before the present one champion again")
    _runs(back)
    _task(back)
    back.add_argument("--why", required=True, metavar="TEXT", help="the reason, for the journal")
    back.add_argument("--who", metavar="NAME", help="who says so; the user of this process if left out")
    back.set_defaults(run=_rollback)

    again = commands.add_parser("reproduce", help="train a version again and compare its predictions")
    again.add_argument("version", metavar="VERSION", help="as ml.models has it")
    _runs(again)
    again.add_argument("--snapshots-dir", default="warehouse/snapshots", type=Path, metavar="DIR")
    again.set_defaults(run=_reproduce)


def _runs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--runs-dir", default=RUNS_DIR, type=Path, metavar="DIR")


def _task(command: argparse.ArgumentParser) -> None:
    command.add_argument("--domain", metavar="NAME", help="where the journal knows several")
    command.add_argument("--task", default="regression", metavar="NAME")


def _promotions(options: argparse.Namespace) -> int:
    from ml.store.promotions import Promotions

    for one in Promotions(options.runs_dir).all():
        change = f"{one.from_version or 'nobody'} -> {one.to_version}"
        print(f"{_time(one.promoted_at)}  {one.domain} {one.task}  {one.action}: {change}")
        print(f"    {one.why} ({one.who}; run {one.run_id}, snapshot {one.snapshot_id[:12]})")
        if one.gate:
            print("\n".join(f"    {line}" for line in one.gate.splitlines()))
    return 0


def _who(options: argparse.Namespace) -> int:
    from ml.store.promotions import Promotions

    journal = Promotions(options.runs_dir)
    domain = _domain(options)
    champion = journal.champion(domain, options.task, _moment(options.at))
    if champion is None:
        raise ValueError(f"{domain} ({options.task}) had no champion then: see `python -m ml promotions`.")
    print(f"{champion.to_version}  since {_time(champion.promoted_at)}: {champion.why}")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from ml.runs.promote import roll_back

    who = options.who or pwd.getpwuid(os.getuid()).pw_name
    done = roll_back(options.runs_dir, _domain(options), options.task, who=who, why=options.why)
    print(f"{done.to_version} is champion again, in place of {done.from_version}.")
    print("It serves from the next prediction on.")
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    from ml.runs.reproduce import reproduce

    def show(model: str, stage: str) -> None:
        print(f"{model}: {stage}", file=sys.stderr)

    done = reproduce(options.version, options.runs_dir, options.snapshots_dir, show)
    print(f"recorded  {done.expected}\nagain     {done.actual}")
    if not done.is_same_code:
        print(f"Code, settings or libraries are not those that trained it (commit {done.recorded.git_sha}).")
    print("The predictions are the same." if done.is_same else "The predictions are NOT the same.")
    return 0 if done.is_same else NOT_THE_SAME


def _domain(options: argparse.Namespace) -> str:
    from ml.store.promotions import Promotions

    known = list(dict.fromkeys(one.domain for one in Promotions(options.runs_dir).all()))
    if options.domain:
        return str(options.domain)
    if len(known) != 1:
        found = ", ".join(known) or "none; nothing was promoted there yet"
        raise ValueError(f"Name the --domain: {options.runs_dir} knows {found}.")
    return known[0]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write it as 2026-01-31T12:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
