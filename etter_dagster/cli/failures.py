"""How a command ends: exit codes, and errors shown as REST gives them, on standard error.

What went wrong is decided elsewhere and arrives as an `EtterError`.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from etter_dagster.model.errors import (
    ErrorCode,
    EtterError,
    FieldProblem,
    StoreUnavailable,
    ValidationFailed,
)

DONE, FAILED, WRONG, UNREACHABLE = 0, 1, 2, 3
_JSON = "json"  # key in the root context's object: whether --json was given
_EXIT_CODES = {
    ErrorCode.VALIDATION_ERROR: WRONG,
    ErrorCode.METHOD_NOT_ALLOWED: WRONG,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: WRONG,
    ErrorCode.UNAUTHORIZED: WRONG,
    ErrorCode.FORBIDDEN: WRONG,
    ErrorCode.NOT_FOUND: WRONG,
    ErrorCode.IDEMPOTENCY_CONFLICT: WRONG,
    ErrorCode.PAYLOAD_TOO_LARGE: WRONG,
    ErrorCode.STORE_UNAVAILABLE: UNREACHABLE,
    ErrorCode.SOURCE_UNAVAILABLE: UNREACHABLE,
}
_REMEDIES = {
    ErrorCode.UNAUTHORIZED: "give a key with --key-file FILE or ETTER_API_KEY",
}


def exit_code(code: ErrorCode) -> int:
    """1 failed, 2 wrong input, 3 not reachable.

    Args:
        code: Why the command ends.
    """
    return _EXIT_CODES.get(code, FAILED)


def end(code: int) -> NoReturn:
    """Ends the command."""
    raise typer.Exit(code)


def remember_json(context: typer.Context, given: bool) -> bool:
    """Callback of `--json`: errors are then JSON too."""
    if given:
        context.find_root().ensure_object(dict)[_JSON] = True
    return given


def show_error(error: EtterError, *, as_json: bool) -> None:
    """Writes an error to standard error.

    Args:
        error: What went wrong.
        as_json: The REST error body instead of lines for people.
    """
    if as_json:
        print(json.dumps({"detail": error.body()}), file=sys.stderr)  # noqa: T201
        return
    from etter_dagster.cli.output import clean, say
    from etter_dagster.cli.wording import said, said_field

    say(f"{error.code.value}: {clean(said(error.message))}")
    for field in error.fields:
        if field.message not in error.message:
            say(f"  {clean(said_field(field.field))}: {clean(said(field.message))}")
    if remedy := _REMEDIES.get(error.code):
        say(f"  {remedy}")


class EtterGroup(TyperGroup):
    """The group of all commands: turns errors into messages and exit codes, in one place."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except EtterError as error:
            failure = _of_data_folder(error)
        except ValueError as error:
            failure = _wrong_input(error)
        as_json = bool(isinstance(ctx.obj, dict) and ctx.obj.get(_JSON))
        show_error(failure, as_json=as_json)
        raise typer.Exit(exit_code(failure.code))


def _of_data_folder(error: EtterError) -> EtterError:
    """A store whose folder cannot be used is a wrong setting: trying again does not help."""
    if type(error) is not StoreUnavailable:
        return error
    from etter_dagster.cli.data_folder import REMEDY, folder_problem
    from etter_dagster.settings import get_settings

    settings = get_settings()
    if not (settings.embedded_graph or settings.embedded_queue):
        return error
    if (problem := folder_problem(settings.data_dir)) is None:
        return error
    message = f"ETTER_DATA_DIR: {problem}; {REMEDY}"
    return EtterError(error.code, message, recoverable=False)


def _wrong_input(error: ValueError) -> EtterError:
    """The error of arguments or settings of no use; any other `ValueError` is a bug and goes on."""
    from pydantic import ValidationError

    if isinstance(error, UnicodeEncodeError):
        return ValidationFailed(FieldProblem("arguments", "hold bytes that are not UTF-8 text"))
    if not isinstance(error, ValidationError) or error.title != "Settings":
        raise error
    from etter_dagster.settings import setting_problems

    return ValidationFailed(*(FieldProblem("settings", text) for text in setting_problems(error)))
