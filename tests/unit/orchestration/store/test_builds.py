"""Which models are as of now, and which tests can be asked of them."""

from typing import Any

import duckdb

from orchestration.store import builds

READ = {"record": [], "issue": ["record"], "label": ["record"], "joined": ["issue", "label"]}
TESTED = {
    "of issue": ["issue"],
    "of label": ["label"],
    "of both": ["issue", "label"],
    "of joined": ["joined"],
}


def node(kind: str, reads: list[str]) -> dict[str, Any]:
    return {"resource_type": kind, "depends_on": {"nodes": reads}, "schema": "s", "alias": "a"}


MANIFEST = {
    "nodes": {
        **{name: node("model", reads) for name, reads in READ.items()},
        **{name: node("test", reads) for name, reads in TESTED.items()},
    },
    "macros": {},
}
NOW, BEFORE = (dict.fromkeys(READ, when) for when in ("now", "before"))


def test_a_test_that_reads_what_is_older_waits_until_that_is_built() -> None:
    changed = [
        key
        for key, is_stale in builds.out_of_date(MANIFEST, NOW, BEFORE, ["record", "issue"]).items()
        if is_stale
    ]
    assert changed == ["record", "issue"]
    current = builds.current_with(MANIFEST, NOW, BEFORE, changed)
    assert current == {"record", "issue"}
    # Labels are those of before, of other records.
    assert builds.tests_to_run(MANIFEST, changed, current) == ["of issue"]
    known = {**BEFORE, **dict.fromkeys(current, "now")}
    stale = builds.out_of_date(MANIFEST, NOW, known, READ)
    changed = [key for key, is_stale in stale.items() if is_stale]
    assert changed == ["label", "joined"]
    current = builds.current_with(MANIFEST, NOW, known, changed)
    assert current == set(READ)
    assert builds.tests_to_run(MANIFEST, changed, current) == ["of both", "of joined", "of label"]


def test_what_is_made_of_something_older_is_not_as_of_now() -> None:
    assert builds.current_with(MANIFEST, NOW, BEFORE, ["label"]) == set()


def test_a_unit_test_that_passed_is_run_again_only_for_other_code() -> None:
    unit = {"unit": {**node("unit_test", ["issue"]), "checksum": "of its rows"}}
    nodes = {**MANIFEST["nodes"], "record": {**MANIFEST["nodes"]["record"], "raw_code": "select 1"}}
    changed = {**nodes, "record": {**nodes["record"], "raw_code": "select 2"}}
    keys, others = (
        builds.unit_test_keys({**MANIFEST, "nodes": code, "unit_tests": unit}, {}, "duckdb")
        for code in (nodes, changed)
    )
    with duckdb.connect() as database:
        assert builds.passed_unit_tests(database, keys) == set()
        builds.record_unit_tests(database, keys, keys)
        passed = builds.passed_unit_tests(database, keys)
        assert passed == {"unit"}
        assert builds.passed_unit_tests(database, others) == set()
    manifest, built = {**MANIFEST, "unit_tests": unit}, ["record", "issue"]
    assert builds.tests_to_run(manifest, built, built) == ["of issue", "unit"]
    assert builds.tests_to_run(manifest, built, built, passed) == ["of issue"]
