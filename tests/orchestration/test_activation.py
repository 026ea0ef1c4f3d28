"""The README's command, word for word, in a fresh shell after activation."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests.paths import ROOT

COMMAND = "dagster asset materialize --select"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with an environment that `make` prepared, its packages borrowed from this one."""
    folder = tmp_path_factory.mktemp("the project")
    for name in ("ml", "orchestration", "dbt_project", "warehouse"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("Makefile", "pyproject.toml", "workspace.yaml", ".env.example"):
        shutil.copy(ROOT / name, folder)
    # As an earlier version made it.
    (folder / ".env").write_text(f"TICKET_SCOPE=all\nDAGSTER_HOME={folder}/.dagster\n")
    (folder / ".dagster").mkdir()
    (folder / ".dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (folder / "requirements.lock").touch()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (folder / ".venv" / ".installed").touch()
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(folder / ".venv")}))
    (inside / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    for command in ("dagster", "dg"):
        (folder / ".venv" / "bin" / command).symlink_to(Path(sys.executable).with_name(command))
    # Twice: what is there already must not be written again.
    for _ in range(2):
        subprocess.run(
            ["make", "--silent", "--assume-new=Makefile", ".venv/.activation"], cwd=folder, check=True
        )
    kept = (folder / ".env").read_text().splitlines()
    assert kept[0] == "TICKET_SCOPE=all" and kept[-1] == "DAGSTER_MODULE_NAME="
    assert not any(line.startswith("DAGSTER_HOME") for line in kept)
    return folder


def shell(project: Path, warehouse: Path, *command: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER_")}
    return subprocess.run(
        command,
        cwd=project,
        env={**inherited, "WAREHOUSE_DIR": str(warehouse), "ISSUES_SOURCE": "sample"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_command_finds_the_assets_and_the_history(project: Path, tmp_path: Path) -> None:
    script = f". .venv/bin/activate && {COMMAND}"
    first = shell(project, tmp_path, "sh", "-c", f"{script} raw_issues")
    assert first.returncode == 0, first.stdout
    assert (project / ".dagster" / "history").exists()
    # The assets before it have not been made: that is all that is missing.
    models = shell(project, tmp_path, "sh", "-c", f"{script} trained_models")
    assert "There is no training snapshot of tickets" in models.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("dg check defs", "All definitions loaded successfully."),
        ("dg list defs --json", '"asset_key": "models/linear"'),
        ("dg launch --assets raw_issues", "STEP_SUCCESS"),
    ],
)
def test_dagsters_newer_command_knows_the_project(
    project: Path, tmp_path: Path, command: str, said: str
) -> None:
    answer = shell(project, tmp_path, "sh", "-c", f". .venv/bin/activate && {command}")
    assert answer.returncode == 0, answer.stdout
    assert said in answer.stdout
    assert "virtual environment" not in answer.stdout


def test_the_same_shell_can_open_the_page(project: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER_")}
    with (tmp_path / "log").open("wb") as log:
        page = subprocess.Popen(
            ["sh", "-c", f". .venv/bin/activate && exec dagster dev --host 127.0.0.1 --port {port}"],
            cwd=project,
            env={**inherited, "WAREHOUSE_DIR": str(tmp_path)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            end = time.monotonic() + 240
            while b"Serving dagster-webserver" not in (said := (tmp_path / "log").read_bytes()):
                assert page.poll() is None and time.monotonic() < end, said.decode()
                time.sleep(0.5)
        finally:
            # How it ends is not what is tried here: on a busy machine its processes wait for each other.
            os.killpg(page.pid, signal.SIGKILL)
            page.wait()


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("bash", ". .venv/bin/activate"),
        ("zsh", ". .venv/bin/activate"),
        ("fish", "source .venv/bin/activate.fish"),
        ("csh", "set prompt=x; source .venv/bin/activate.csh"),
    ],
)
def test_every_shell_learns_the_same_once_and_what_was_set_stays(
    project: Path, tmp_path: Path, name: str, activation: str
) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not on this machine")
    told = shell(
        project, tmp_path, name, "-c", f'{activation} && echo "$DAGSTER_MODULE_NAME" && echo "$DAGSTER_HOME"'
    )
    assert told.stdout.splitlines() == ["orchestration.definitions", str(project / ".dagster")]
    kept = shell(
        project, tmp_path, "env", "DAGSTER_HOME=/of/mine", name, "-c", f'{activation} && echo "$DAGSTER_HOME"'
    )
    assert kept.stdout.splitlines() == ["/of/mine"]
    script = next((project / ".venv" / "bin").glob(activation.rpartition("/")[2])).read_text()
    assert script.count("DAGSTER_MODULE_NAME") == 1
