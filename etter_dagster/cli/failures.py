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
# Of every mistake in options and arguments; no module of all versions of Typer names it.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
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

    def make_context(
        self, info_name: Any, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Reads the options before the command, and whether errors are to be JSON."""
        # Looked for by itself: with a mistake in the options, none of them has been read.
        as_json = "--json" in args
        try:
            made = super().make_context(info_name, args, parent=parent, **extra)
        except _UsageError as error:
            _end_usage(error, as_json)
        made.ensure_object(dict)[_JSON] = as_json
        return made

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        as_json: bool = ctx.obj[_JSON]
        try:
            return super().invoke(ctx)
        except EtterError as error:
            failure = _of_data_folder(error)
        except _UsageError as error:
            _end_usage(error, as_json)
        except ValueError as error:
            failure = _wrong_input(error)
        show_error(failure, as_json=as_json)
        raise typer.Exit(exit_code(failure.code))


def _end_usage(error: Any, as_json: bool) -> NoReturn:
    """Options and arguments that the command does not take: for people, Typer shows its own box."""
    # Typer puts how it came to the message before the message.
    error.message = error.message.removeprefix("Value error, ")
    if not as_json:
        raise error
    show_error(ValidationFailed(_usage_problem(error)), as_json=True)
    raise typer.Exit(WRONG) from error


def _usage_problem(error: Any) -> FieldProblem:
    see = f"see `{error.ctx.command_path if error.ctx else 'etter'} --help`"
    if isinstance(error, typer.BadParameter) and error.param is not None:
        param: Any = error.param
        option = param.param_type_name == "option"
        field = max(param.opts, key=len) if option else param.metavar
        return FieldProblem(field, f"{error.message.rstrip('.') or 'is missing'}; {see}")
    field = getattr(error, "option_name", None) or "arguments"
    return FieldProblem(field, f"{error.format_message().rstrip('.')}; {see}")


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
