"""What the fidelity tests are measured against: packages of the npm registry, installed once into .cache."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "fidelity"
PACKAGES = (
    "@octokit/graphql-schema@15.26.1",
    "@octokit/openapi@23.0.2",
    "@octokit/fixtures@23.1.2",
    "emulate@0.8.0",
)
_DESCRIPTION = Path("node_modules/@octokit/openapi/generated/api.github.com.json")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "fidelity: needs Node and the npm registry; run by make fake-fidelity")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out unless `-m fidelity` asks for them: all others run without a network."""
    if "fidelity" not in (config.option.markexpr or ""):
        left_out = [item for item in items if item.get_closest_marker("fidelity")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with node_modules; fails, with npm's own words, when something cannot be installed."""
    stamp = CACHE / "installed.json"
    if not stamp.exists() or json.loads(stamp.read_text()) != list(PACKAGES):
        _install()
        stamp.write_text(json.dumps(PACKAGES))
    return CACHE


@pytest.fixture(scope="session")
def public_schema(packages: Path) -> GraphQLSchema:
    """GitHub's public GraphQL schema; its SDL has two duplicate fields, hence no validation of itself."""
    sdl = (packages / "node_modules/@octokit/graphql-schema/schema.graphql").read_text()
    return build_schema(sdl, assume_valid=True, assume_valid_sdl=True)


@pytest.fixture(scope="session")
def description(packages: Path) -> dict[str, Any]:
    """GitHub's OpenAPI description of its REST API."""
    described: dict[str, Any] = json.loads((packages / _DESCRIPTION).read_text())
    return described


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("make fake-fidelity needs Node 20 with npm; npm was not found.", pytrace=False)
    CACHE.mkdir(parents=True, exist_ok=True)
    # The folder keeps itself out of git.
    (CACHE.parent / ".gitignore").write_text("*\n")
    command = [
        npm,
        "install",
        "--prefix",
        str(CACHE),
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        *PACKAGES,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"npm could not install {', '.join(PACKAGES)}:\n{done.stderr}", pytrace=False)
    # Descriptions of GitHub's other products are 350 MB that nobody reads.
    for other in (CACHE / _DESCRIPTION).parent.glob("*.json"):
        if other.name != _DESCRIPTION.name:
            other.unlink()
