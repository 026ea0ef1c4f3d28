"""A process whose children collect and are killed; steered by lines of JSON on standard input.

    python -m tests.integration.github.collector BASE_URL

Each line names a `folder` and what goes wrong there: `kill_at` (the child kills itself before its so many-th
call), `kill_in` (before the n-th call of a function: [name, n]; going on with a generator is a call), or
`file_limit` (no file may be larger). The answer tells how the child ended and how many calls it made.
Children are forked, so that twenty of them do not import everything twenty times.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fake_github import TOKEN, FakeGitHub
from tests.integration.github.workshop import Workshop


def main(base: str) -> None:
    """Obey until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(in_a_child(base, json.loads(line))), flush=True)


def in_a_child(base: str, task: dict[str, Any]) -> dict[str, Any]:
    """Fork, collect there, and say how it ended."""
    folder = Path(task["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        report = collect(base, folder, task)
        os.write(writer, json.dumps(report).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, **json.loads(said or "{}")}


def collect(base: str, folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Collect once, with what the task wants to go wrong."""
    if "file_limit" in task:
        # Without the signal a write beyond the limit is an OSError, as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["file_limit"], task["file_limit"]))
    fake = FakeGitHub()
    fake.base = base
    source = Workshop(fake, folder).source(tokens=(TOKEN,), clock=None)
    calls = Calls(task.get("kill_at"), task.get("kill_in"))
    sys.setprofile(calls)
    error = None
    try:
        Workshop(fake, folder).load(source)
    except Exception as raised:
        error = str(raised)
    finally:
        sys.setprofile(None)
    return {"calls": calls.count, "failures": source.failures, "error": error}


class Calls:
    """Counts the calls of this process, of C functions too, and kills it before the chosen one."""

    def __init__(self, kill_at: int | None, kill_in: list[Any] | None) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._name: str | None = kill_in[0] if kill_in else None
        self._left: int = kill_in[1] if kill_in else 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "c_call"):
            return
        self.count += 1
        name = frame.f_code.co_name if event == "call" else getattr(argument, "__name__", "")
        if name == self._name:
            self._left -= 1
        if self.count == self._kill_at or (name == self._name and self._left == 0):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
