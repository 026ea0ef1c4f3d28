"""The journal of a search: a file that processes share, and that survives a process cut down in a line."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend

OWNER = "owner"


class SharedJournal(JournalFileBackend):
    """Optuna's file of one JSON object a line, where a cut line is skipped instead of ending all searches.

    A process that dies while it writes leaves a line without an end, on which the next writer would go on:
    Optuna then refuses the whole journal.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._offsets = {0: 0}

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the logs from a number on; only whole lines that hold one are counted."""
        number = max(known for known in self._offsets if known <= log_number_from)
        with self._path.open("rb") as stream:
            stream.seek(self._offsets[number])
            for line in iter(stream.readline, b""):
                if not line.endswith(b"\n"):
                    return
                try:
                    log = json.loads(line)
                except ValueError:
                    continue
                if not isinstance(log, dict):
                    continue
                number += 1
                self._offsets[number] = stream.tell()
                if number > log_number_from:
                    yield log

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write logs, after ending a line that another process left open."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        self._lock.acquire()
        try:
            with self._path.open("r+b") as stream:
                if stream.seek(0, os.SEEK_END):
                    stream.seek(-1, os.SEEK_END)
                    if stream.read(1) != b"\n":
                        stream.write(b"\n")
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
        finally:
            self._lock.release()


def own_name() -> list[Any]:
    """Return what says of a trial which process runs it."""
    return [socket.gethostname(), os.getpid()]


def is_dead(owner: Any) -> bool:
    """Say whether the process that a trial names has ended; of another machine's nothing is known."""
    if not isinstance(owner, list) or len(owner) != 2 or owner[0] != socket.gethostname():
        return False
    try:
        os.kill(int(owner[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
