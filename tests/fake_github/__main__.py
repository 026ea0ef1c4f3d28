"""The fake in a process of its own, for clients whose time and memory are measured, or that are killed.

    python -m tests.fake_github --repository owner/name --issues 61271
    python -m tests.fake_github --issues 2000 -- dagster asset materialize …

With a command behind `--` it runs that command with the settings of a user who reads from the fake, and ends
with its status. Without one it prints one line of JSON with its address and token, then obeys lines on
standard input, each answered by one line of JSON: `edit COUNT` closes or reopens so many issues, `account`
tells requests, points and seconds, and the end of the input ends it.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.fake_github.clock import SystemClock
from tests.fake_github.seed import generate_issues, read_dump, seed_records
from tests.fake_github.server import TOKEN, FakeGitHub, running
from tests.fake_github.world import World


def main() -> None:
    """Serve until the command, or without one standard input, ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_github", description=__doc__)
    parser.add_argument("--repository", default="owner/name", help="name of the generated repository")
    parser.add_argument("--issues", type=int, default=1000, help="how many issues to generate")
    parser.add_argument("--dump", type=Path, help="a *.jsonl or *.jsonl.gz dump to serve instead")
    parser.add_argument("command", nargs="*", help="what to run against the fake")
    options = parser.parse_args()
    world = World(SystemClock())
    if options.dump:
        seed_records(world, read_dump(options.dump))
    else:
        generate_issues(world, options.repository, options.issues)
    with running(FakeGitHub(world)) as fake:
        if options.command:
            sys.exit(subprocess.run(options.command, env={**os.environ, **settings(fake)}).returncode)
        tell({"base": fake.base, "token": TOKEN, "repositories": sorted(world.names)})
        for line in sys.stdin:
            command, _, argument = line.strip().partition(" ")
            if command == "edit":
                tell({"edited": edit(fake, options.repository, int(argument))})
            elif command == "account":
                tell(account(fake))
            else:
                tell({"error": f"no command {command!r}"})


def settings(fake: FakeGitHub) -> dict[str, str]:
    """What a user who reads from the fake puts into the environment."""
    return {
        "ISSUES_SOURCE": "github",
        "GITHUB_API_URL": fake.base,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOS": ",".join(sorted(one.full_name for one in fake.world.repositories.values())),
    }


def edit(fake: FakeGitHub, repository: str, count: int) -> int:
    """Close what is open and reopen what is closed, spread over the whole repository."""
    numbers = sorted(fake.world.repositories[fake.world.names[repository]].issues)
    for number in numbers[:: max(1, len(numbers) // count)][:count]:
        issue = fake.world.repositories[fake.world.names[repository]].issues[number]
        (fake.world.close if issue.state == "open" else fake.world.reopen)(repository, number)
    return count


def account(fake: FakeGitHub) -> dict[str, float]:
    """Requests and points so far, and the seconds that the server spent on them."""
    seconds = sum(request.seconds for request in fake.requests)
    return {"requests": len(fake.requests), "points": fake.points, "server_seconds": round(seconds, 3)}


def tell(what: Mapping[str, object]) -> None:
    """One line to whoever started this."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
