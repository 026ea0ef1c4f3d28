"""What plain code says through `logging`, shown in the log of the run that called it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg


class _Forward(logging.Handler):
    def __init__(self, log: dg.DagsterLogManager) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage())


@contextmanager
def forwarded(name: str, log: dg.DagsterLogManager) -> Iterator[None]:
    """Show what the loggers below `name` say, from INFO on, for as long as the block runs.

    A fetch that waits an hour for its quota would look dead without its signs of life.
    """
    logger, handler = logging.getLogger(name), _Forward(log)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
