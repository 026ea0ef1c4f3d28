"""A run of the whole pipeline that all tests look at."""

from collections.abc import Iterator

import pytest

from tests.integration.pipeline import Finished, run_the_sample
from tests.once import made_once


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One run of everything on the embedded sample; whoever goes on from it takes a copy."""
    with made_once(tmp_path_factory, "finished", run_the_sample) as folder:
        yield Finished(folder)
