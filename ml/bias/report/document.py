"""``bias.json``: everything that was measured, for machines, with a version and a schema."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from ml.bias.config import BiasConfig
from ml.bias.gate import VERDICTS, GateResult
from ml.bias.tables import table_names

# Raise the first number when a reader of an older document would misread a newer one.
SCHEMA_VERSION = "1.0"
INFINITE = "Infinity"

_TABLE = {
    "type": "object",
    "required": ["columns", "rows"],
    "additionalProperties": False,
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "rows": {
            "type": "array",
            "items": {"type": "array", "items": {"type": ["number", "string", "boolean", "null"]}},
        },
    },
}
BIAS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "bias.json",
    "type": "object",
    "required": ["schema_version", "run_id", "domain", "note", "settings", "tables", "gate"],
    "additionalProperties": False,
    "properties": {
        "schema_version": {"const": SCHEMA_VERSION},
        "run_id": {"type": "string"},
        "domain": {"type": "string"},
        "note": {"type": "string"},
        "settings": {"type": "object"},
        "tables": {
            "type": "object",
            "required": ["slice_metrics", "summary", "distribution"],
            "additionalProperties": False,
            "properties": dict.fromkeys(table_names(), _TABLE),
        },
        "gate": {
            "type": ["object", "null"],
            "required": ["verdict", "checked", "not_assessable", "unjudged", "failures"],
            "properties": {
                "verdict": {"enum": list(VERDICTS)},
                "checked": {"type": "array", "items": {"type": "string"}},
                "not_assessable": {"type": "array", "items": {"type": "string"}},
                "unjudged": {"type": "array", "items": {"type": "string"}},
                "failures": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["model", "dimension", "metric", "expected", "actual", "slices"],
                    },
                },
            },
        },
    },
}


def bias_json(
    frames: Mapping[str, pd.DataFrame],
    config: BiasConfig,
    *,
    run_id: str,
    domain: str,
    note: str = "",
    gate: GateResult | None = None,
) -> str:
    """The text of ``bias.json``, which follows `BIAS_SCHEMA`.

    Tables are ``{columns, rows}``; numbers have six significant digits, NaN is null, and an infinite gap is
    the string "Infinity", since JSON has no word for either. ``note`` is for what a reader must know of the
    data, such as that they are synthetic.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Published tables by name.
    config : BiasConfig
    run_id, domain, note : str
    gate : GateResult, optional
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "domain": domain,
        "note": note,
        "settings": asdict(config),
        "tables": {name: _table(frame) for name, frame in frames.items()},
        "gate": None if gate is None else _gate(gate),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"


def _table(frame: pd.DataFrame) -> dict[str, Any]:
    rows = frame.astype(object).to_numpy().tolist()
    return {"columns": [str(c) for c in frame.columns], "rows": [[_plain(v) for v in row] for row in rows]}


def _gate(gate: GateResult) -> Mapping[str, Any]:
    return {
        "verdict": gate.verdict,
        "checked": list(gate.checked),
        "not_assessable": list(gate.not_assessable),
        "unjudged": [str(check) for check in gate.unjudged],
        "failures": [{k: _plain(v) for k, v in asdict(failure).items()} for failure in gate.failures],
    }


def _plain(value: Any) -> float | int | str | bool | None:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(f"{value:.6g}") if math.isfinite(value) else INFINITE if value > 0 else f"-{INFINITE}"
    if value is None or value is pd.NaT:
        return None
    return value if isinstance(value, int | str | bool) else str(value)
