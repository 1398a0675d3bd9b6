"""Texts of an outside API that a store takes: JSON can spell half a character, and no store can."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def storable(value: object) -> object:
    """The same with `?` in place of lone surrogates; what is no text is left alone.

    Args:
        value: Out of JSON.
    """
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Id = Annotated[str, BeforeValidator(storable)]
Text = Annotated[str | None, BeforeValidator(storable)]
