"""The settings of commands that work on the stores themselves, with no service between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etter_dagster.settings import Settings


def settings_of_stores() -> Settings:
    """The settings; in `production` only if they name real stores.

    A shell that lacks a deployment's variables would otherwise get new, empty files of this
    machine: an export without roles, a drain that holds nobody, and exit code 0.

    Raises:
        ValidationFailed: Names all that is missing.
    """
    from etter_dagster.model.errors import FieldProblem, ValidationFailed
    from etter_dagster.settings import get_settings

    settings = get_settings()
    if settings.environment == "production" and (missing := settings.missing_stores()):
        raise ValidationFailed(*(FieldProblem("settings", f"production: {m}") for m in missing))
    return settings
