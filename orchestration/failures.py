"""What is told of a run that failed: a line in a file, and the same line to a webhook where one is set."""

import fcntl
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import requests

from orchestration.settings import Settings

logger = logging.getLogger(__name__)

_LONGEST = 500
_SECONDS = (5, 10)


def failures_file(settings: Settings) -> Path:
    """The file with a line per failed run."""
    return settings.warehouse_dir / "logs" / "failures.txt"


def in_words(error: str) -> str:
    """An error, in words where Dagster gives only its class: that of a step whose process is gone."""
    if error.strip().endswith("ChildProcessCrashException"):
        return "The process of the step ended without a word: it was killed, as where memory runs out."
    return error


def tell_failure(settings: Settings, what: str, why: str) -> str:
    """Write one line about a failed run, and post it; the line.

    Telling never fails: what goes wrong with it is logged, without the webhook's address, which is a secret.

    Parameters
    ----------
    settings : Settings
    what : str
        Which run, and what in it.
    why : str
        The error; its first lines are told, without any secret of the settings.
    """
    line = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {what}: {why}"
    line = " ".join(_without_secrets(settings, line).split())[:_LONGEST]
    try:
        _append(failures_file(settings), line)
    except OSError as error:
        logger.warning("The failure cannot be written down: %s.", error.strerror)
    if settings.failure_webhook:
        _post(settings.failure_webhook, line)
    return line


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(f"{line}\n")
        stream.flush()
        os.fsync(stream.fileno())


def _post(webhook: str, line: str) -> None:
    try:
        # A redirect would carry the line to somebody who was not named.
        answer = requests.post(webhook, json={"text": line}, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        # Not the error's own words: they quote the address.
        logger.warning("FAILURE_WEBHOOK cannot be reached: %s.", type(error).__name__)
        return
    if not answer.ok or answer.is_redirect:
        logger.warning("FAILURE_WEBHOOK answered with status %d.", answer.status_code)


def _without_secrets(settings: Settings, text: str) -> str:
    for secret in (*settings.github_tokens, settings.failure_webhook):
        text = text.replace(secret, "***") if secret else text
    return text
