"""The graph as lines of JSON, and back: for backups, and to move between kinds of store.

What waits or is worked on is in the queue and not here: an export is of what is settled.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.documents import LinkedDocument
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.push import Push
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill
from etter_dagster.stores.protocols import AuditEntry, PushFilter, RoleGraph, list_key

VERSION = 1
_PAGE = 500
_READ_AT_ONCE, _WRITE_AT_ONCE = 20, 200


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Line):
    """The first line: what this is."""

    etter_export: int = VERSION
    company: str | None = None


class RoleLine(_Line):
    """A role with all that hangs on it; assessments oldest first."""

    role: Role
    documents: tuple[LinkedDocument, ...]
    assessments: tuple[Assessment, ...]
    skills: tuple[RoleSkill, ...]


class PushLine(_Line):
    """An ended push."""

    push: Push


class AuditLine(_Line):
    """An entry of the audit log."""

    audit: AuditEntry


class End(_Line):
    """The last line: how many there were, so that half a file is noticed."""

    end: dict[str, int]


_KINDS: dict[str, type[_Line]] = {
    "etter_export": Head,
    "role": RoleLine,
    "push": PushLine,
    "audit": AuditLine,
    "end": End,
}


_COUNTED: dict[type[_Line], str] = {RoleLine: "roles", PushLine: "pushes", AuditLine: "audit"}


async def exported(graph: RoleGraph, company: str | None = None) -> AsyncIterator[str]:
    """The graph, a line each: roles, then ended pushes and the audit log, oldest first.

    Args:
        graph: Read while others may write: each role is whole.
        company: Only this one's.
    """
    count: Counter[str] = Counter(roles=0, pushes=0, audit=0)
    yield Head(company=company).model_dump_json()
    after = ""
    while page := await graph.roles(company, after=after, limit=_PAGE):
        for start in range(0, len(page), _READ_AT_ONCE):
            part = page[start : start + _READ_AT_ONCE]
            for line in await asyncio.gather(*(_role_line(graph, role) for role in part)):
                count["roles"] += 1
                yield line.model_dump_json()
        after = list_key(page[-1])
    for push in await _every_push(graph, company):
        count["pushes"] += 1
        yield PushLine(push=push).model_dump_json()
    for entry in await _every_entry(graph, company):
        count["audit"] += 1
        yield AuditLine(audit=entry).model_dump_json()
    yield End(end=dict(count)).model_dump_json()


async def _role_line(graph: RoleGraph, role: Role) -> RoleLine:
    assessments = await graph.assessments(role.role_id)
    return RoleLine(
        role=role,
        documents=tuple(await graph.documents(role.role_id)),
        assessments=tuple(reversed(assessments)),
        skills=tuple(await graph.skills(role.role_id)),
    )


async def _every_push(graph: RoleGraph, company: str | None) -> list[Push]:
    where = PushFilter(companies=(company,) if company is not None else None)
    found: list[Push] = []
    cursor: str | None = None
    while True:
        page = await graph.list_history(where, cursor=cursor, limit=_PAGE)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found[::-1]


async def _every_entry(graph: RoleGraph, company: str | None) -> list[AuditEntry]:
    companies = [company] if company is not None else None
    found: list[AuditEntry] = []
    cursor: str | None = None
    while True:
        page, cursor = await graph.audit(companies, cursor=cursor, limit=_PAGE)
        found += page
        if cursor is None:
            return found[::-1]


async def restore(graph: RoleGraph, lines: Iterable[str]) -> dict[str, int]:
    """Puts an export back. Repeated, it changes nothing; what was worked on since stays as it is.

    Args:
        graph: Where to; usually an empty one.
        lines: Of an export.

    Returns:
        How many roles, pushes and audit entries were read.

    Raises:
        ValidationFailed: A line cannot be read, or the end is missing; what came before is in.
    """
    count: Counter[str] = Counter(roles=0, pushes=0, audit=0)
    # The log only grows: what it has is not put in again. A service that ran has noted its keys.
    audited = Counter(entry.model_dump_json() for entry in await _every_entry(graph, None))
    ended = False
    read: list[_Line] = []
    try:
        for number, text in enumerate(lines, start=1):
            line = _read(number, text)
            if (number == 1) != isinstance(line, Head) or ended:
                raise _bad(number, "is out of place: give the whole file of `etter export`")
            if read and (type(line) is not type(read[0]) or len(read) == _WRITE_AT_ONCE):
                some, read = read, []
                await _put(graph, some, audited)
            if type(line) in _COUNTED:
                count[_COUNTED[type(line)]] += 1
                read.append(line)
            elif isinstance(line, End):
                ended = True
                if line.end != dict(count):
                    raise _bad(number, f"counts {line.end}, but there were {dict(count)}")
    finally:
        await _put(graph, read, audited)
    if not ended:
        raise _bad(sum(count.values()) + 2, "is missing: the file is cut off")
    return dict(count)


async def _put(graph: RoleGraph, lines: Sequence[_Line], audited: Counter[str]) -> None:
    """Puts lines of one kind in; roles together, as the graph takes what comes at once as one."""
    await asyncio.gather(
        *(
            graph.restore_role(
                line.role,
                documents=line.documents,
                assessments=line.assessments,
                skills=line.skills,
            )
            for line in lines
            if isinstance(line, RoleLine)
        )
    )
    if pushes := [line.push for line in lines if isinstance(line, PushLine)]:
        await graph.append_history(pushes)
    new = []
    for entry in (line.audit for line in lines if isinstance(line, AuditLine)):
        if audited[text := entry.model_dump_json()] > 0:
            audited[text] -= 1
        else:
            new.append(entry)
    if new:
        await graph.append_audit(new)


def _read(number: int, text: str) -> _Line:
    try:
        data: dict[str, Any] = json.loads(text)
        kind = next(name for name in _KINDS if name in data)
        line = _KINDS[kind].model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise _bad(number, f"{place}: {problem['msg']}") from None
    except (ValueError, TypeError, StopIteration):
        raise _bad(number, "is not of an export") from None
    if isinstance(line, Head) and line.etter_export != VERSION:
        raise _bad(number, f"is of version {line.etter_export}; this Etter reads {VERSION}")
    return line


def _bad(number: int, what: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem(f"line {number}", what))
