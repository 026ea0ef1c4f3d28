"""Queries against the fake, executed by graphql-core on a part of GitHub's schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from tests.fake_github.clock import normalised
from tests.fake_github.cost import points_and_nodes
from tests.fake_github.resolvers import RESOLVERS, TYPE_NAMES
from tests.fake_github.world import World

SDL = Path(__file__).with_name("schema.graphql")
MAX_NODES = 500_000
_CAMEL = re.compile(r"(?<=[a-z])([A-Z])")


@dataclass(slots=True)
class Context:
    """What resolvers need beside the object: the world, the server's address and the quota."""

    world: World
    web: str
    rate_limit: dict[str, Any]


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The fake's schema; times are checked like GitHub's."""
    built = build_schema(SDL.read_text())
    built.type_map["DateTime"].parse_value = normalised  # type: ignore[attr-defined]
    return built


@lru_cache(maxsize=256)
def parsed(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """The document, or what is wrong with it; clients send the same few texts again and again."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(schema(), document))


def price(query: str, variables: Mapping[str, Any]) -> tuple[int, int]:
    """Points and nodes of a query; a query that cannot be run costs one point."""
    document, errors = parsed(query)
    operation = get_operation_ast(document) if document and not errors else None
    if document is None or operation is None:
        return 1, 0
    values = get_variable_values(schema(), operation.variable_definitions, dict(variables))
    return (1, 0) if isinstance(values, list) else points_and_nodes(document, values)


def run_query(query: str, variables: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The answer's body: `data`, and `errors` when there are any."""
    document, errors = parsed(query)
    if document is None or errors:
        return {"errors": [_described(error) for error in errors]}
    _, nodes = price(query, variables)
    if nodes > MAX_NODES:
        message = (
            f"This query requests up to {nodes:,} possible nodes which exceeds the maximum limit of 500,000."
        )
        return {"data": None, "errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]}
    result = execute_sync(
        schema(),
        document,
        context_value=context,
        variable_values=dict(variables),
        field_resolver=_resolve,
        type_resolver=lambda value, info, abstract_type: TYPE_NAMES[getattr(value, "kind", type(value))],
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_described(error) for error in result.errors]
    return body


@lru_cache(maxsize=512)
def _attribute(name: str) -> str:
    return _CAMEL.sub(r"_\1", name).lower()


def _resolve(source: Any, info: Any, **arguments: Any) -> Any:
    known = RESOLVERS.get((info.parent_type.name, info.field_name))
    if known is not None:
        return known(source, info, **arguments)
    if isinstance(source, dict):
        return source[info.field_name]
    return getattr(source, _attribute(info.field_name))


def _described(error: GraphQLError) -> dict[str, Any]:
    """An error as GitHub writes it: its type stands beside the message."""
    formatted: dict[str, Any] = dict(error.formatted)
    kind = (formatted.pop("extensions", None) or {}).get("type")
    return {**({"type": kind} if kind else {}), **formatted}
