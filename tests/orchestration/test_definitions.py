"""The code location as Dagster loads it: exact asset keys, checks, jobs."""

import json
import os
import resource
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from ml.models import registry
from orchestration.definitions import defs
from orchestration.settings import DBT_MANIFEST
from tests.paths import ROOT

PYTHON_ASSETS = {
    "raw_issues",
    "training_snapshot",
    "trained_models",
    "bias_metrics",
    "bias_mitigation",
    "raw_alerts",
    "alert_snapshot",
    "alert_cluster_snapshot",
    "alert_scores",
    "alert_bias",
    "models/alert_scorer",
    "models/late_scorer",
    "models/triage_ranker",
    "models/remaining",
    "remaining_bias",
    "models/response_1d",
    "models/response_2d",
    "models/response_7d",
    "models/alert_ranker",
    "models/alert_cluster_scorer",
    "tuned_parameters/alert_scorer",
    "tuned_parameters/alert_ranker",
    "tuned_parameters/alert_cluster_scorer",
    "tuned_parameters/late_scorer",
    "tuned_parameters/triage_ranker",
    "tuned_parameters/response_1d",
    "tuned_parameters/response_2d",
    "tuned_parameters/response_7d",
    "remaining_snapshot",
    "response_snapshot",
    "response_bias",
    "assignee_snapshot",
    "models/assignee_ranker",
    "tuned_parameters/assignee_ranker",
    "assignee_candidates",
    "assignee_bias",
    "best_model",
    "ticket_predictions",
    "similar_tickets",
    "report",
    "kept_runs",
    "registry_mirror",
    "service_levels",
    "models/median",
    "models/forest",
    "models/linear",
    "models/svm",
    "models/xgboost",
    "models/lightgbm",
}
# Tasks on tickets beside the hours.
SIDE_TASKS = {
    *(f"models/{name}" for name in ("late_scorer", "triage_ranker", "assignee_ranker", "remaining")),
    *(f"models/response_{days}d" for days in (1, 2, 7)),
}
AFTER = {
    "ticket_predictions", "similar_tickets", "report", "kept_runs", "registry_mirror", "service_levels",
}  # fmt: skip
PEOPLE = {"assignee_snapshot", "assignee_candidates", "assignee_bias"}
APART = {"remaining_snapshot", "remaining_bias", "response_snapshot", "response_bias"}


def dbt_models() -> set[str]:
    nodes = json.loads(DBT_MANIFEST.read_text())["nodes"].values()
    return {node["name"] for node in nodes if node["resource_type"] in ("model", "seed")}


def test_the_code_location_holds_exactly_the_expected_assets() -> None:
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().materializable_asset_keys}
    assert keys == PYTHON_ASSETS | dbt_models()


def test_the_contract_relations_are_assets() -> None:
    assert {"train_tickets", "label_tickets", "stg_github__issue"} <= dbt_models()


def test_one_asset_per_registered_model() -> None:
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().materializable_asset_keys}
    tickets = {key for key in keys if key.startswith("models/") and "alert" not in key}
    assert tickets - SIDE_TASKS == {f"models/{name}" for name in registry()}


def test_the_graph_runs_from_raw_issues_to_the_predictions() -> None:
    graph = defs.resolve_asset_graph()
    upstream = {
        key.to_user_string()
        for key in graph.get_ancestor_asset_keys(
            next(k for k in graph.get_all_asset_keys() if k.path == ["ticket_predictions"])
        )
    }
    own = {key for key in PYTHON_ASSETS if "alert" not in key and not key.startswith("tuned_parameters/")}
    assert upstream >= own - AFTER - APART - SIDE_TASKS - PEOPLE
    assert not upstream & (SIDE_TASKS | PEOPLE | APART), (
        "a task that is skipped must not keep the hours from being predicted"
    )


def test_the_groups_follow_each_other_in_one_direction() -> None:
    """The lineage that the UI shows first is one of groups: a circle of them has no order."""
    graph = defs.resolve_asset_graph()
    before: dict[str, set[str]] = {}
    for key in graph.materializable_asset_keys:
        own = graph.get(key).group_name
        parents = {graph.get(parent).group_name for parent in graph.get(key).parent_keys}
        before.setdefault(own, set()).update(parents - {own})
    order = list(TopologicalSorter(before).static_order())
    assert order[0] == "ingestion" and order[-1] == "serving"


def test_every_dbt_test_is_an_asset_check() -> None:
    nodes = json.loads(DBT_MANIFEST.read_text())["nodes"].values()
    tests = {node["name"] for node in nodes if node["resource_type"] == "test" and node.get("attached_node")}
    checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    assert tests
    assert tests <= checks


def test_every_check_says_what_it_asks() -> None:
    graph = defs.resolve_asset_graph()
    told = {key.name: graph.get(key).description or "" for key in graph.asset_check_keys}
    assert [name for name, text in told.items() if not text.strip()] == []
    assert told["train_alerts_is_sound"].startswith("One row per item_id. Never null: event_at,")
    assert told["stg_github__comment_reads_all"] == (
        "Every entry of comments_data in base_github__record became a row."
    )
    assert "the rows of int_alert__observation" in told["train_alerts_keeps_all_rows"]


def test_loading_the_code_location_imports_neither_dbt_nor_a_learning_library() -> None:
    """Import time matters for every command: heavy libraries load where they are used."""
    probe = (
        "import sys, orchestration.definitions; "
        "heavy = ('dbt.version', 'sklearn', 'xgboost', 'lightgbm', 'optuna', 'fairlearn', 'matplotlib', "
        "'plotly'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_loading_the_code_location_is_quick_and_asks_for_nothing(tmp_path: Path) -> None:
    """No variable but the warehouse's, which does not exist, no name looked up, no address called."""
    probe = (
        "import os, sys\n"
        "def watch(event, given):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        "        os.write(2, f'{event} {given}'.encode()); os._exit(3)\n"
        "sys.addaudithook(watch)\n"
        "import orchestration.definitions\n"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = subprocess.run(
            [sys.executable, "-c", probe],
            env={"PATH": os.defpath, "WAREHOUSE_DIR": str(tmp_path / "absent")},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert answer.returncode == 0, answer.stderr
        assert not (tmp_path / "absent").exists()
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if seconds[-1] < 6:
            break
    # Of the processor, and of the least disturbed of three: what shares a core makes it slower.
    assert min(seconds) < 6


def test_every_asset_says_what_it_is_who_owns_it_and_which_domain_it_is_of() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node, name = graph.get(key), key.to_user_string()
        assert node.description and node.owners and node.kinds and node.group_name, name
        if name not in ("report", "kept_runs", "registry_mirror"):
            assert node.tags["domain"] in {"tickets", "assignees", "alerts"}, name


def test_every_field_of_a_configuration_says_what_it_is() -> None:
    """The launchpad shows it beside the field."""
    for assets in defs.resolve_asset_graph().assets_defs:
        schema = assets.node_def.config_schema
        fields = getattr(schema.config_type, "fields", {}) if schema and schema.config_type else {}
        for name, field in fields.items():
            assert field.description, (assets.node_def.name, name)
