"""The REST routes as a page to read, made of the OpenAPI document; no script, nothing remote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

_METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class Value:
    """A parameter, or a field of a body."""

    name: str
    place: str
    type: Markup
    required: bool
    description: str


@dataclass(frozen=True)
class Route:
    """A route, as a person reads of it."""

    anchor: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    values: list[Value]
    bodies: list[tuple[str, Markup]]
    answers: list[tuple[str, str, Markup]]


@dataclass(frozen=True)
class Shape:
    """A body, or a part of one."""

    name: str
    description: str
    type: Markup
    fields: list[Value]


def routes_of(document: Mapping[str, Any]) -> list[Route]:
    """Every route of a document, in its order.

    Args:
        document: OpenAPI 3.1, as FastAPI makes it.
    """
    return [
        Route(
            anchor=route["operationId"],
            tag=(route.get("tags") or ["more"])[0],
            method=method.upper(),
            path=path,
            summary=route.get("summary", ""),
            description=route.get("description", ""),
            values=[
                _value(p["name"], p["in"], p["schema"], p) for p in route.get("parameters", ())
            ],
            bodies=list(_bodies(route.get("requestBody", {}))),
            answers=[
                (status, answer["description"], Markup(", ").join(t for _, t in _bodies(answer)))
                for status, answer in route["responses"].items()
            ],
        )
        for path, methods in document["paths"].items()
        for method, route in methods.items()
        if method in _METHODS
    ]


def shapes_of(document: Mapping[str, Any]) -> list[Shape]:
    """Every body and part of one, by name.

    Args:
        document: As for `routes_of`.
    """
    return [
        Shape(
            name=name,
            description=schema.get("description", ""),
            type=_type({k: v for k, v in schema.items() if k != "properties"}),
            fields=[
                _value(field, "", one, {**one, "required": field in schema.get("required", ())})
                for field, one in schema.get("properties", {}).items()
            ],
        )
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    ]


def _bodies(holder: Mapping[str, Any]) -> Iterator[tuple[str, Markup]]:
    for media_type, content in holder.get("content", {}).items():
        yield media_type, _type(content.get("schema", {}))


def _value(name: str, place: str, schema: Mapping[str, Any], said: Mapping[str, Any]) -> Value:
    return Value(name, place, _type(schema), said.get("required", False), _described(schema, said))


def _described(schema: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    text = said.get("description") or schema.get("description") or ""
    default = schema.get("default")
    return f"{text} Default: {default}.".strip() if default not in (None, "", [], {}) else text


def _type(schema: Mapping[str, Any]) -> Markup:
    """What a value may be, in words, with links to the shapes."""
    if reference := schema.get("$ref"):
        return Markup('<a href="#{0}">{0}</a>').format(reference.rpartition("/")[2])
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(_type(one) for one in several)
    if "enum" in schema or "const" in schema:
        return escape(", ".join(map(str, schema.get("enum") or [schema["const"]])))
    if schema.get("type") == "array":
        return Markup("list of {}").format(_type(schema.get("items", {})))
    if (more := schema.get("additionalProperties")) and isinstance(more, dict):
        return Markup("object of {}").format(_type(more))
    form = schema.get("format")
    return escape(f"{schema.get('type', 'anything')}{f' ({form})' if form else ''}")
