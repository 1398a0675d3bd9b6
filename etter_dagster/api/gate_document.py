"""Reads a GraphQL request into what it asks for, field by field, and writes it anew.

What goes on to Dagster is written from what was understood, never the text that came: no text can
mean one thing here and another there. Decides nothing about who may ask (`gate_rules.py`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    build_schema,
    parse,
    parse_type,
    print_ast,
    validate,
    visit,
)
from graphql.execution.values import get_argument_values, get_variable_values

from etter_dagster.model.errors import ErrorCode, EtterError

MAX_TOKENS = 1500  # of a document; lists of any length belong into the variables
MAX_ROOTS = 20
MAX_DEPTH = 50  # of variables
Arguments = dict[str, Any]


def refused(why: str) -> EtterError:
    """The error for what the gate does not let through."""
    return EtterError(ErrorCode.FORBIDDEN, f"{why}; docs/graphql.md lists what may be asked")


@functools.cache
def gate_schema() -> GraphQLSchema:
    """The part of Dagster's schema that may be asked for."""
    text = resources.files(__package__).joinpath("gate_schema.graphql").read_text("utf-8")
    return build_schema(text)


@dataclass(frozen=True, eq=False)
class Asked:
    """One field that takes arguments or stands at the top: `type_name.name(arguments)`."""

    type_name: str
    name: str
    arguments: Arguments

    @property
    def path(self) -> str:
        """As `Mutation.launchRun`."""
        return f"{self.type_name}.{self.name}"


@dataclass(frozen=True)
class Request:
    """A request that the gate's schema allows; whether the caller may ask it is not decided."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fields: Mapping[int, Asked]

    @property
    def is_mutation(self) -> bool:
        """Whether it changes something."""
        return self.operation.operation is OperationType.MUTATION

    @property
    def roots(self) -> list[Asked]:
        """The fields at the top."""
        return [field for field in self.fields.values() if field.type_name in ("Query", "Mutation")]


def read_request(query: str, variables: Mapping[str, Any], operation_name: str | None) -> Request:
    """Understands a request, or refuses it.

    Args:
        query: The document.
        variables: Their values.
        operation_name: If given, the name of the document's one operation.

    Raises:
        EtterError: `FORBIDDEN`, or `VALIDATION_ERROR` if it is no GraphQL.
    """
    _require_shallow(variables)
    try:
        return _read(query, variables, operation_name)
    except RecursionError:
        raise refused("the request is nested too deeply") from None


def _read(query: str, variables: Mapping[str, Any], operation_name: str | None) -> Request:
    document = _parsed(query)
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1:
        raise refused("a request holds exactly one operation")
    (operation,) = operations
    own_name = operation.name.value if operation.name else None
    if operation_name not in (None, "", own_name):
        raise refused("operationName is not the name of the request's operation")
    schema = gate_schema()
    if problems := validate(schema, document, max_errors=1):
        raise refused(problems[0].message.rstrip("."))
    given = get_variable_values(schema, operation.variable_definitions, dict(variables))
    if isinstance(given, list):
        raise refused(given[0].message)
    reader = _Reader(schema, given)
    visit(document, TypeInfoVisitor(reader.types, reader))
    request = Request(document, operation, reader.fields)
    if len(request.roots) > (1 if request.is_mutation else MAX_ROOTS):
        raise refused(
            "a mutation has one field at the top"
            if request.is_mutation
            else f"a query has at most {MAX_ROOTS} fields at the top"
        )
    return request


def _require_shallow(variables: Mapping[str, Any]) -> None:
    """So that nothing that reads or writes them later runs out of stack."""
    layer: list[Any] = [variables]
    for _ in range(MAX_DEPTH):
        layer = [
            inner
            for value in layer
            if isinstance(value, (dict, list))
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if layer:
        raise refused("the variables are nested too deeply")


def _parsed(query: str) -> DocumentNode:
    try:
        return parse(query, no_location=True, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        if "tokens" in error.message or "nested too deeply" in error.message:
            raise refused("the document is too long; put values into the variables") from None
        raise EtterError(
            ErrorCode.VALIDATION_ERROR, f"query: {error.message}", http_status=422
        ) from None


class _Reader(Visitor):
    """Collects the fields with their arguments; refuses what a request does not need."""

    def __init__(self, schema: GraphQLSchema, variables: Mapping[str, Any]) -> None:
        super().__init__()
        self.types = TypeInfo(schema)
        self.fields: dict[int, Asked] = {}
        self._variables = dict(variables)

    def enter_directive(self, *_: Any) -> None:
        raise refused("directives are not taken")

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, definition = self.types.get_parent_type(), self.types.get_field_def()
        name = node.name.value
        if parent is None or definition is None or (name.startswith("__") and name != "__typename"):
            raise refused(f"{name} may not be asked")
        top = parent.name in ("Query", "Mutation")
        # Below the top each field is then asked once, whatever fragments repeat.
        if node.alias is not None and (not top or node.alias.value.startswith("__")):
            raise refused("aliases are taken at the top only, and not with __")
        if top or node.arguments:
            try:
                arguments = get_argument_values(definition, node, self._variables)
            except GraphQLError as error:
                raise refused(error.message) from None
            self.fields[id(node)] = Asked(parent.name, name, arguments)


def written_anew(
    request: Request,
    arguments: Mapping[int, Arguments],
    also: Mapping[int, str] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The request as Dagster gets it: every argument is a variable of the gate's own.

    Args:
        request: As it was read.
        arguments: Those of each of its fields, as the rules made them.
        also: Selections that are added below some of the fields.
    """
    writer = _Writer(request, arguments, also or {})
    document: DocumentNode = visit(request.document, TypeInfoVisitor(writer.types, writer))
    return print_ast(_with_variables(document, writer.declared)), writer.values


class _Writer(Visitor):
    def __init__(
        self, request: Request, arguments: Mapping[int, Arguments], also: Mapping[int, str]
    ) -> None:
        super().__init__()
        self.types = TypeInfo(gate_schema())
        self.values: dict[str, Any] = {}
        self.declared: dict[str, str] = {}
        self._fields = request.fields
        self._arguments = arguments
        self._also = also
        self._names: dict[str, str] = {}

    def enter_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        parent, definition = self.types.get_parent_type(), self.types.get_field_def()
        if parent is not None and (parent.name, node.name.value) == ("PythonError", "message"):
            return FieldNode(
                alias=node.name, name=NameNode(value="__typename"), arguments=(), directives=()
            )
        if id(node) not in self._fields or definition is None:
            return None
        selections = node.selection_set
        if selections is not None and (also := self._also.get(id(node))):
            added = _selections(also)
            selections = SelectionSetNode(selections=(*selections.selections, *added))
        return FieldNode(
            alias=node.alias,
            name=node.name,
            directives=(),
            arguments=tuple(
                ArgumentNode(
                    name=NameNode(value=name),
                    value=VariableNode(
                        name=NameNode(value=self._variable(str(definition.args[name].type), value))
                    ),
                )
                for name, value in self._arguments[id(node)].items()
            ),
            selection_set=selections,
        )

    def _variable(self, kind: str, value: Any) -> str:
        # Equal arguments share a variable, or fields that are the same would not look it.
        same = json.dumps([kind, value], sort_keys=True)
        if same not in self._names:
            name = self._names[same] = f"v{len(self._names)}"
            self.declared[name], self.values[name] = kind, value
        return self._names[same]


def _selections(text: str) -> tuple[SelectionNode, ...]:
    (operation,) = parse(f"{{{text}}}", no_location=True).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return tuple(operation.selection_set.selections)


def _with_variables(document: DocumentNode, declared: Mapping[str, str]) -> DocumentNode:
    variables = tuple(
        VariableDefinitionNode(
            variable=VariableNode(name=NameNode(value=name)), type=parse_type(kind), directives=()
        )
        for name, kind in declared.items()
    )
    return DocumentNode(
        definitions=tuple(
            OperationDefinitionNode(
                operation=d.operation,
                name=d.name,
                variable_definitions=variables,
                directives=(),
                selection_set=d.selection_set,
            )
            if isinstance(d, OperationDefinitionNode)
            else d
            for d in document.definitions
        )
    )
