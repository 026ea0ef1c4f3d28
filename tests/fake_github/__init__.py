"""A GitHub for tests: real HTTP on 127.0.0.1, state that tests edit, faults on demand. See README.md."""

from tests.fake_github.clock import OffsetClock, SystemClock, VirtualClock
from tests.fake_github.messages import Answer, Fault, Request, Wire
from tests.fake_github.server import TOKEN, FakeGitHub, running
from tests.fake_github.world import World

__all__ = [
    "TOKEN",
    "Answer",
    "FakeGitHub",
    "Fault",
    "OffsetClock",
    "Request",
    "SystemClock",
    "VirtualClock",
    "Wire",
    "World",
    "running",
]
