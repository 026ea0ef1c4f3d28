"""Lines that nobody wrote by hand: each is loaded or rejected with a reason, and no line breaks a load."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from orchestration.domains.tickets.landed.loading import load_landed
from tests.unit.landed import land, record, warehouse

FIELDS = (
    *(
        "repository",
        "number",
        "id",
        "title",
        "body",
        "state",
        "created_at",
        "updated_at",
        "closed_at",
        "user",
    ),
    *("assignees", "labels", "milestone", "comments", "comments_data", "events", "pull_request", "locked"),
    *("author", "nodes", "user.login", "assignee", "payload", "html_url", "isPullRequest", ""),
)
NAMES = st.sampled_from(FIELDS)
WORDS = st.sampled_from(
    ["", "owner/name", "ada", "2024-01-01T00:00:00Z", "0000-13-45", "NaN", "[]", "{", "ü\x00"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
CHANGED = st.dictionaries(NAMES, VALUES, max_size=4).map(lambda odd: json.dumps(record(1) | odd).encode())
BROKEN = st.tuples(CHANGED, st.integers(0, 400)).map(lambda both: both[0][: both[1]])
NOISE = st.binary(max_size=30).map(lambda noise: noise.replace(b"\n", b" ").replace(b"\r", b" "))
LINES = st.lists(CHANGED | BROKEN | NOISE | VALUES.map(lambda value: json.dumps(value).encode()), max_size=12)


@seed(20240701)
@settings(max_examples=60, deadline=None)
@given(LINES)
def test_every_line_is_accounted_for(lines: list[Any]) -> None:
    control = json.dumps(record(1_000_000)).encode()
    with tempfile.TemporaryDirectory() as name, warehouse(Path(name)) as database:
        report = load_landed(database, [land(Path(name), [control, *lines])], source="archive")
        (kept,) = database.sql("select count(*) from raw.issues where number = 1000000").fetchall()[0]
        reasons = database.sql("select reason from raw.rejected_records").fetchall()
    assert kept == 1
    assert report.lines_read == report.loaded + report.superseded + report.rejected
    assert len(reasons) == report.rejected and all(reason for (reason,) in reasons)
