"""`python -m orchestration run`: what somebody at a terminal sees."""

import io
import json
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import Settings
from orchestration.store.warehouse import open_pipeline_database
from orchestration.terminal.changes import changes, facts
from orchestration.terminal.durations import earlier_durations
from orchestration.terminal.progress import Progress
from orchestration.terminal.summary import summary
from orchestration.terminal.voice import Voice
from tests.integration.pipeline import environment
from tests.paths import ROOT


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration", "run", *arguments],
        cwd=ROOT,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_line_per_stage_and_what_came_out(tmp_path: Path) -> None:
    done = run(tmp_path, "--select", "raw_issues,raw_alerts")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split(maxsplit=1) == ["Warehouse", str(tmp_path / "warehouse")]
    assert len([line for line in lines if re.fullmatch(r"  raw_issues +[\d.]+m?s", line)]) == 1
    assert any(line.startswith("Issues ") and "3,320 of 5 repositories, SYNTHETIC" in line for line in lines)
    assert len(lines) < 20
    log = Path(next(line.split(maxsplit=1)[1] for line in lines if line.startswith("Log ")))
    assert log.parent == tmp_path / "warehouse" / "logs"
    assert "RUN_SUCCESS" in log.read_text()


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        (
            ["--select", "raw_issues"],
            {"ISSUES_SOURCE": "nowhere"},
            "error: raw_issues: There is no source 'nowhere': set ISSUES_SOURCE to one of",
        ),
        (["--select", "no_such_asset"], {}, "error: AssetKey(s) ['no_such_asset'] were selected"),
        (["--config-json", "{"], {}, "error: "),
        (["--select", "raw_issues"], {"TICKET_SCOPE": "mine"}, "error: TICKET_SCOPE is 'mine'"),
        (
            ["--select", "raw_issues"],
            {"WAREHOUSE_DIR": "/dev/null/x"},
            "error: Cannot write below /dev/null/x",
        ),
    ],
)
def test_a_failure_is_a_sentence_and_the_name_of_the_log(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], sentence: str
) -> None:
    done = run(tmp_path, *arguments, **settings)
    assert done.returncode == 1
    first, *others = done.stderr.splitlines()
    assert first.startswith(sentence)
    assert len(first) > len("error: ")
    logs = list((tmp_path / "warehouse" / "logs").glob("*.log"))
    assert others == [f"The log: {log}" for log in logs]
    assert "Traceback" not in done.stdout + done.stderr


LOGGED = "2026-01-01 00:00:00 +0000 - dagster - DEBUG - __ASSET_JOB - 1 - 2"
LOG = """\
{logged} - models__svm - STEP_START - Started.
{logged} - models__svm - STEP_SUCCESS - Finished execution of step "models__svm" in 1m13s.
{logged} - best_model - ASSET_CHECK_EVALUATION - Asset check 'bias_gate' on 'best_model' did not pass. So.
{logged} - best_model - STEP_FAILURE - Execution of step "best_model" failed.

dagster._core.errors.DagsterExecutionStepExecutionError: Error occurred while executing op "best_model":

Stack Trace:
  File "x.py", line 1, in f

The above exception was caused by the following exception:
orchestration.Odd.RefusedError: What is wrong, and what to do.

{logged} - models__svm - STEP_FAILURE - Execution of step "models__svm" failed.

dagster._core.executor.child_process_executor.ChildProcessCrashException

{logged} - RUN_FAILURE - Steps failed.
KeyError: of another
"""


def test_the_cause_of_a_failure_is_told_and_not_what_wraps_it() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    for line in LOG.format(logged=LOGGED).splitlines(keepends=True):
        progress.feed(line)
    assert [line.split() for line in said] == [
        ["models/svm", "1m13s"],
        ["best_model", "failed"],
        ["models/svm", "failed"],
    ]
    assert progress.failures["best_model"] == "What is wrong, and what to do."
    assert "memory" in progress.failures["models/svm"]
    assert progress.checks == ["Asset check 'bias_gate' on 'best_model' did not pass."]


def test_a_view_that_somebody_planted_is_not_looked_at(tmp_path: Path) -> None:
    settings = Settings.from_environment({"WAREHOUSE_DIR": str(tmp_path)})
    with open_pipeline_database(settings.pipeline_database):
        pass
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    with duckdb.connect(str(settings.published_database)) as client:
        client.execute("create schema tickets; create schema ml; create schema bias")
        client.execute(f"create view tickets.predictions as select content from read_text('{secret}')")
        client.execute("create table ml.models as select 'x' as run_id, 'svm' as model, 'champion' as alias")
        client.execute(f"create view bias.summary as select content as verdict from read_text('{secret}')")
    assert list(summary(settings)) == [("Published", str(settings.published_database))]


def test_the_bar_is_for_terminals_and_shows_what_is_left_by_the_run_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "run-1.log").write_text(LOG.format(logged=LOGGED))
    (logs / "run-2.log").write_text(
        f'{LOGGED} - raw_issues - STEP_SUCCESS - Finished execution of step "raw_issues" in 850ms.\n'
    )
    expected = earlier_durations(logs)
    assert expected == {"models/svm": 73.0, "raw_issues": pytest.approx(0.85)}
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("orchestration.terminal.voice.PATIENCE", 0.0)
    for is_terminal in (True, False):
        stream = Terminal() if is_terminal else io.StringIO()
        voice = Voice(stream, expected)
        for stage in ("models/svm", "unknown"):
            voice.begin(stage)
            voice.tick()
        voice.end("unknown")
        voice.tick()
        voice.still()
        voice.tick()
        voice.say("it failed", "red")
        said = stream.getvalue()
        shown = [part for part in said.split("\r")[:-1] if part.strip()]
        assert all("models/svm" in part and "left" in part for part in shown)
        beside = [is_beside for is_beside, _ in groupby(" and 1 more" in part for part in shown)]
        assert beside == ([False, True, False] if is_terminal else [])
        assert ("\033[31mit failed" in said) == is_terminal
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Voice(plain).say("it failed", "red")
    assert plain.getvalue() == "it failed\n"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_quiet_and_json_say_what_came_out_and_verbose_everything(tmp_path: Path) -> None:
    quiet = run(tmp_path, "--select", "raw_issues", "--quiet")
    assert quiet.returncode == 0 and quiet.stderr == ""
    assert not re.search(r"^  raw_issues", quiet.stdout, flags=re.M) and "SYNTHETIC" in quiet.stdout
    spoken = run(tmp_path, "--select", "raw_issues", "--json")
    told = json.loads(spoken.stdout)
    assert "raw_issues" in told["stages"] and "SYNTHETIC" in told["issues"]
    assert Path(told["log"]).is_file()
    verbose = run(tmp_path, "--select", "raw_issues", "--verbose")
    assert "STEP_SUCCESS" in verbose.stdout and "  raw_issues" in verbose.stdout
    assert run(tmp_path, "--quiet", "--json").returncode == 2


def test_the_leaderboard_has_three_lines_and_what_changed_is_told(tmp_path: Path) -> None:
    settings = Settings.from_environment({"WAREHOUSE_DIR": str(tmp_path)})
    with open_pipeline_database(settings.pipeline_database):
        pass
    assert facts(settings) is None and list(changes(None, None)) == []
    with duckdb.connect(str(settings.published_database)) as client:
        client.execute(
            """
            create schema ml; create schema tickets;
            create table ml.models as
                select
                    'r' as run_id, 'tickets' as domain, 'regression' as task, model,
                    model || '-1' as model_version,
                    if(model = 'b', 'champion', 'challenger') as alias
                from (values ('a'), ('b'), ('c'), ('d')) as models (model);
            create table ml.model_metrics as
                select
                    'r' as run_id, 'tickets' as domain, 'regression' as task, model, 'test' as split,
                    'mae_log' as metric, ascii(model) / 100 as value, null::double as ci_low,
                    null::double as ci_high, 5 as n
                from ml.models;
            create table tickets.predictions as select unnest(['x#1', 'x#2']) as item_id
            """
        )
    before = facts(settings)
    leaders = [sentence for heading, sentence in summary(settings) if heading in ("Leaderboard", "")]
    assert [" ".join(line.split()) for line in leaders] == ["1. a 0.97", "2. b 0.98, champion", "3. c 0.99"]
    assert list(changes(before, facts(settings))) == [
        ("Changed", "nothing: the same champion, the same open tickets")
    ]
    with duckdb.connect(str(settings.published_database)) as client:
        client.execute("update ml.models set alias = if(model = 'a', 'champion', 'challenger')")
        client.execute("insert into tickets.predictions values ('x#3')")
    assert list(changes(before, facts(settings))) == [
        ("Changed", "the champion is a-1, before b-1; 1 tickets newly open, 0 no longer open")
    ]
