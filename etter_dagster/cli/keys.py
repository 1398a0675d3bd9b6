"""`etter keys`: makes, lists and revokes API keys in `API_KEYS_FILE`. Needs no running service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.service import Json, user
from etter_dagster.model.api_keys import EVERY_COMPANY, ApiKey, Scope, hash_of, new_key_id
from etter_dagster.model.errors import FieldProblem, NotFound, ValidationFailed
from etter_dagster.model.identity import name_problem, normalize_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_STORES_SECONDS = 10.0
keys = typer.Typer(name="keys", help="Makes, lists and revokes API keys.", no_args_is_help=True)


@keys.command()
def create(
    company: Annotated[
        list[str],
        typer.Option(
            "--company", metavar="NAME", help="A company of the key, may be repeated; * is every."
        ),
    ],
    scope: Annotated[
        Scope,
        typer.Option("--scope", metavar="read|push|admin", help="Each includes those before it."),
    ],
    expires: Annotated[
        float | None,
        typer.Option("--expires", metavar="DAYS", help="The key ends then; never, if left out."),
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Names the key in lists and the audit log."),
    ] = None,
    json: Json = False,
) -> None:
    """Makes a key and prints it, this once: only its hash is kept, in ETTER_API_KEYS_FILE."""
    from etter_dagster.cli.output import print_json, say
    from etter_dagster.model.api_keys import new_secret

    secret = new_secret()
    made = _key(secret, company, scope, expires, key_id)
    with _changing() as (path, before):
        if any(key.id == made.id for key in before):
            raise ValidationFailed(FieldProblem("--id", f"{made.id} is taken; choose another"))
        _write(path, before, [*before, made])
    if json:
        print_json({"key": secret, **_row(made)})
        return
    typer.echo(secret)
    say(f"{made.id}: write it down now, it is shown once; in use within moments")


@keys.command("list")
def list_keys(json: Json = False) -> None:
    """Lists the keys; not the keys themselves, which nobody has kept."""
    from etter_dagster.cli.output import print_json, print_table

    with _changing() as (_, found):
        rows = [_row(key) for key in found]
    if json:
        print_json({"keys": rows})
        return
    now = datetime.now(timezone.utc)
    print_table(
        ["id", "companies", "scopes", "expires", "state"],
        [
            [
                key.id,
                ", ".join(key.companies),
                ", ".join(scope.value for scope in key.scopes),
                key.expires_at,
                "expired" if key.expired(now) else "in use",
            ]
            for key in found
        ],
    )


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `etter keys list` names it.")],
    json: Json = False,
) -> None:
    """Takes a key away; running services notice at their next request."""
    from etter_dagster.cli.output import print_json, say

    with _changing() as (path, before):
        left = [key for key in before if key.id != key_id]
        if len(left) == len(before):
            raise NotFound(key_id, "`etter keys list` shows the keys")
        _write(path, before, left)
    if json:
        print_json({"revoked": key_id, "left": len(left)})
    else:
        say(f"{key_id} is revoked")
    if not left:
        say("that was the last key: nobody gets in, and a service does not start without one")


def _key(
    secret: str, companies: Sequence[str], scope: Scope, expires: float | None, key_id: str | None
) -> ApiKey:
    from pydantic import ValidationError

    names = tuple(dict.fromkeys(normalize_name(name) for name in companies))
    problems = [problem for name in names if (problem := name_problem("--company", name))]
    if EVERY_COMPANY in names and len(names) > 1:
        problems.append(FieldProblem("--company", "give * alone, or names"))
    if expires is not None and not 0 < expires <= 36_500:
        problems.append(FieldProblem("--expires", "must be days, more than 0, at most 36500"))
    if problems:
        raise ValidationFailed(*problems)
    until = datetime.now(timezone.utc) + timedelta(days=expires) if expires is not None else None
    try:
        return ApiKey(
            id=key_id if key_id is not None else new_key_id(),
            sha256=hash_of(secret),
            companies=names,
            scopes=(scope,),
            expires_at=until.replace(microsecond=0) if until else None,
        )
    except ValidationError:
        what = "must be 1 to 64 letters, digits, dots, dashes or underscores"
        raise ValidationFailed(FieldProblem("--id", what)) from None


def _row(key: ApiKey) -> dict[str, object]:
    return key.model_dump(mode="json", exclude={"sha256"})


@contextmanager
def _changing() -> Iterator[tuple[Path, tuple[ApiKey, ...]]]:
    """The file and its keys; two commands at once do not lose each other's change."""
    from filelock import FileLock

    from etter_dagster.settings import get_settings
    from etter_dagster.settings_keys import KeysFileError, read_keys

    path = get_settings().api_keys_file
    if path is None:
        what = "is not set; name the file that services and this command share, then try again"
        raise ValidationFailed(FieldProblem("ETTER_API_KEYS_FILE", what))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_name(f".{path.name}.lock")):
            yield path, read_keys(path) if path.exists() else ()
    except OSError as error:
        what = f"{path.parent} cannot be written: {error.strerror}"
        raise ValidationFailed(FieldProblem("ETTER_API_KEYS_FILE", what)) from None
    except KeysFileError as error:
        raise ValidationFailed(FieldProblem("ETTER_API_KEYS_FILE", str(error))) from None


def _write(path: Path, before: Sequence[ApiKey], after: Sequence[ApiKey]) -> None:
    from etter_dagster.settings_keys import write_keys

    # The audit log first: a service that sees the new file would record it, not knowing who it was.
    recorded = _audited(after)
    try:
        write_keys(path, after)
    except BaseException:
        if recorded:
            _audited(before)
        raise


def _audited(keys: Sequence[ApiKey]) -> bool:
    """Whether the audit log has the change; else a service notes it, and cannot say who it was."""
    import asyncio

    from etter_dagster.cli.output import say
    from etter_dagster.model.errors import EtterError

    try:
        return asyncio.run(_record(keys))
    except (EtterError, asyncio.TimeoutError) as error:
        why = error.message if isinstance(error, EtterError) else "a store does not answer"
        say(f"not in the audit log yet: {why}; a service puts it there when it reads the file")
        return False


async def _record(keys: Sequence[ApiKey]) -> bool:
    import asyncio

    from etter_dagster.onboarding.key_audit import BY_COMMAND, record_keys
    from etter_dagster.settings import get_settings
    from etter_dagster.stores import open_access, open_graph

    settings = get_settings()
    if settings.embedded_graph and not (settings.data_dir / "graph.db").exists():
        return False  # nothing has run here yet, or the stores are another machine's to name
    graph, access = open_graph(settings), open_access(settings)
    try:
        now = datetime.now(timezone.utc)
        recording = record_keys(graph, access, keys, at=now, actor=BY_COMMAND, created_by=user())
        await asyncio.wait_for(recording, _STORES_SECONDS)
    finally:
        await access.close()
        await graph.close()
    return True
