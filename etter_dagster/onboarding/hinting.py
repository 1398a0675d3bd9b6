"""Names that are not known: the one that was probably meant, and the one that is nearly the same.

A name counts as it is written; who does not know that makes two roles of one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

from etter_dagster.model.errors import (
    ErrorCode,
    EtterError,
    FieldProblem,
    StoreUnavailable,
    ValidationFailed,
)
from etter_dagster.model.near_names import KnownNames, folded
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import list_key

_PAGE = 500
_SAID = 3  # of many that are nearly the same
_MOST = 5000  # roles of a company that are looked at: a hint must not cost more than a push


class Hints:
    """Hints on roles, each within its own company: that of others is nobody's business.

    Args:
        services: Stores.
        near: Also names that are only like the one given; looking for them takes a while, so
            only for a single push.
    """

    def __init__(self, services: Services, *, near: bool) -> None:
        self._services = services
        self._near = near
        self._known: dict[str, KnownNames] = {}

    async def hinted(self, refusal: EtterError, company: str, role_name: str) -> EtterError:
        """A refusal of an unknown role, with the known one that it may be about.

        Args:
            refusal: Why the push was refused.
            company: The company's name.
            role_name: The name that no role of it has.
        """
        if company not in self._known:
            self._known[company] = KnownNames(await self._names(company))
        known = self._known[company]
        look = known.near if self._near else known.same
        meant = await asyncio.to_thread(look, role_name)
        if meant is None:
            return refusal
        return _with_hint(refusal, "role_name", role_name, meant)

    async def _names(self, company: str) -> list[str]:
        names: list[str] = []
        after = ""
        while len(names) < _MOST:
            page = await self._services.graph.roles(company, after=after, limit=_PAGE)
            if not page:
                break
            names += [role.role_name for role in page]
            after = list_key(page[-1])
        return names


async def with_company_hint(
    services: Services, refusal: EtterError, company: str, sees: Callable[[str], bool]
) -> EtterError:
    """A refusal of a push that lacks something, with the company that was probably meant.

    Args:
        services: Stores.
        refusal: Why the push was refused.
        company: The company's name.
        sees: Whether a company is the caller's.
    """
    fields = {problem.field for problem in refusal.fields}
    lacks = fields & {"documents", "draup_role_name"} and "company_id" not in fields
    if refusal.code is not ErrorCode.VALIDATION_ERROR or not lacks:
        return refusal
    with contextlib.suppress(StoreUnavailable):  # a hint must not hide the refusal
        known = KnownNames(filter(sees, await services.graph.companies()))
        meant = await asyncio.to_thread(known.near, company)
        return _with_hint(refusal, "company_id", company, meant) if meant else refusal
    return refusal


async def nearly_the_same(
    services: Services, pushed: Iterable[tuple[str, str]], sees: Callable[[str], bool]
) -> str | None:
    """What is to be said of queued roles whose names are known ones but for case and white space.

    Args:
        services: Stores.
        pushed: Company and role name of each.
        sees: Whether a company is the caller's.
    """
    by_company: dict[str, list[str]] = {}
    for company, role_name in pushed:
        by_company.setdefault(company, []).append(role_name)
    found: list[str] = []
    with contextlib.suppress(StoreUnavailable):  # the pushes are queued all the same
        for company, names in by_company.items():
            found += await _two_companies(services, company, len(names), sees)
            found += await _two_roles(services, company, names)
    if not found:
        return None
    more = f", and {len(found) - _SAID} more" if len(found) > _SAID else ""
    return f"note that {', '.join(found[:_SAID])}{more}: case and spaces count"


async def _two_companies(
    services: Services, company: str, pushed: int, sees: Callable[[str], bool]
) -> list[str]:
    if await services.graph.count_roles(company) > pushed:  # it is not new
        return []
    known = set(filter(sees, await services.graph.companies())) - {company}
    other = KnownNames(known).same(company)
    return [f"'{company}' and '{other}' are two companies"] if other else []


async def _two_roles(services: Services, company: str, names: Sequence[str]) -> list[str]:
    known: dict[str, list[str]] = {}
    for name in sorted(await services.graph.same_names(company, names)):
        known.setdefault(folded(name), []).append(name)
    return [
        f"'{name}' and '{others[0]}' are two roles"
        for name in names
        if (others := [other for other in known.get(folded(name), ()) if other != name])
    ]


def _with_hint(refusal: EtterError, field: str, name: str, meant: str) -> EtterError:
    hint = FieldProblem(field, f"'{name}' is not known; did you mean '{meant}'?")
    return ValidationFailed(*refusal.fields, hint)
