"""JSON Schemas for response bodies, cut out of an OpenAPI 3.0 description."""

from typing import Any

_PREFIX = "#/components/schemas/"


def response_schema(description: dict[str, Any], path: str, status: str = "200") -> dict[str, Any]:
    """Schema of the JSON body that `path` answers with, with all that it refers to.

    Raises
    ------
    KeyError
        If the description has no such path or status.
    """
    response = description["paths"][path]["get"]["responses"][status]
    if "$ref" in response:
        response = description["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    root = response["content"]["application/json"]["schema"]
    definitions: dict[str, Any] = {}
    _collect(root, description["components"]["schemas"], definitions)
    return {**_plain(root), "$defs": {name: _plain(schema) for name, schema in definitions.items()}}


def _collect(schema: Any, known: dict[str, Any], found: dict[str, Any]) -> None:
    if isinstance(schema, list):
        for one in schema:
            _collect(one, known, found)
    elif isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(_PREFIX):
            name = target.removeprefix(_PREFIX)
            if name not in found:
                found[name] = known[name]
                _collect(known[name], known, found)
        for one in schema.values():
            _collect(one, known, found)


def _plain(schema: Any) -> Any:
    """OpenAPI's `nullable` in the words of JSON Schema, and references to the cut's own definitions."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: value.replace(_PREFIX, "#/$defs/") if key == "$ref" and isinstance(value, str) else _plain(value)
        for key, value in schema.items()
        if key not in ("example", "examples", "nullable", "description")
        # A property may be called description.
        or isinstance(value, dict)
    }
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") is True else plain
