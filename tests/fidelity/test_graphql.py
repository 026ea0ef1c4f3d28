"""The fake's schema is a part of GitHub's, and the client's queries are valid there."""

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    validate,
)

from tests.fake_github.graphql_api import schema

pytestmark = pytest.mark.fidelity


def test_the_fakes_schema_is_a_part_of_githubs(public_schema: GraphQLSchema) -> None:
    assert differences(schema(), public_schema) == []


def differences(part: GraphQLSchema, whole: GraphQLSchema) -> list[str]:
    """What `part` has and `whole` has not, or has otherwise: types, kinds, fields, nullability, arguments."""
    found: list[str] = []
    for name, here in part.type_map.items():
        if is_introspection_type(here) or is_specified_scalar_type(here):
            continue
        there = whole.type_map.get(name)
        if there is None or type(there) is not type(here):
            found.append(f"{name}: not there, or of another kind")
        elif isinstance(here, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(there, GraphQLObjectType | GraphQLInterfaceType)
            added = {one.name for one in here.interfaces} - {one.name for one in there.interfaces}
            found += [f"{name} is no {one}" for one in added]
            for field_name, field in here.fields.items():
                other = there.fields.get(field_name)
                if other is None or str(other.type) != str(field.type):
                    found.append(f"{name}.{field_name}: {field.type} here, {other and other.type} there")
                    continue
                for argument_name, argument in field.args.items():
                    asked = other.args.get(argument_name)
                    if (
                        asked is None
                        or str(asked.type) != str(argument.type)
                        or asked.default_value != argument.default_value
                    ):
                        found.append(f"{name}.{field_name}({argument_name})")
        elif isinstance(here, GraphQLInputObjectType):
            assert isinstance(there, GraphQLInputObjectType)
            for field_name, input_field in here.fields.items():
                twin = there.fields.get(field_name)
                if twin is None or str(twin.type) != str(input_field.type):
                    found.append(f"{name}.{field_name}")
        elif isinstance(here, GraphQLEnumType):
            assert isinstance(there, GraphQLEnumType)
            found += [f"{name}.{value}" for value in set(here.values) - set(there.values)]
        elif isinstance(here, GraphQLUnionType):
            assert isinstance(there, GraphQLUnionType)
            members = {one.name for one in here.types} - {one.name for one in there.types}
            found += [f"{name} | {member}" for member in members]
    return found


def test_the_comparison_notices_what_is_wrong(public_schema: GraphQLSchema) -> None:
    from graphql import build_schema

    wrong = build_schema(
        """
        type Query { repository(owner: String!, name: String): Repository, stars: Int }
        type Repository { id: ID, issue(number: Int!): Issue }
        type Issue { number: Int! }
        enum IssueState { MAYBE }
        type Nonsense { id: ID! }
        """
    )
    assert sorted(differences(wrong, public_schema)) == [
        "IssueState.MAYBE",
        "Nonsense: not there, or of another kind",
        "Query.repository(name)",
        "Query.stars: Int here, None there",
        "Repository.id: ID here, ID! there",
    ]


@pytest.mark.parametrize("name", ["ISSUES", "NUMBERS", "lists"])
def test_the_clients_queries_are_valid_at_github(public_schema: GraphQLSchema, name: str) -> None:
    from orchestration.domains.tickets.sources.github import queries

    text = queries.lists_query(queries.LISTS) if name == "lists" else getattr(queries, name)
    assert validate(public_schema, parse(text)) == []
    assert validate(schema(), parse(text)) == []
