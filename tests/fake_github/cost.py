"""Points and nodes of a query, by the formula in GitHub's documentation of its GraphQL limits."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)


def points_and_nodes(document: DocumentNode, variables: Mapping[str, Any]) -> tuple[int, int]:
    """Cost of a query: one request per connection for each of its parents, by 100, at least 1.

    A connection is what has `first` or `last`; each of its nodes asks anew for the connections below it.
    Fragments count where they are used.
    """
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    requests = nodes = 0

    def walk(selection: SelectionSetNode | None, parents: int) -> None:
        nonlocal requests, nodes
        for field in selection.selections if selection else ():
            if isinstance(field, FragmentSpreadNode):
                walk(fragments[field.name.value].selection_set, parents)
            elif isinstance(field, InlineFragmentNode):
                walk(field.selection_set, parents)
            elif isinstance(field, FieldNode):
                size = _size(field, variables)
                if size is None:
                    walk(field.selection_set, parents)
                else:
                    requests += parents
                    nodes += parents * size
                    walk(field.selection_set, parents * size)

    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            walk(definition.selection_set, 1)
    return max(1, round(requests / 100)), nodes


def _size(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    for argument in field.arguments:
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, VariableNode):
                value = variables.get(argument.value.name.value)
                if value is not None:
                    return int(value)
            elif isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
    return None
