"""Names that people type: the role that they mean, and a hint where it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from etter_dagster.model.errors import (
    ErrorCode,
    EtterError,
    FieldProblem,
    NotFound,
    ValidationFailed,
)
from etter_dagster.model.identity import is_role_id, normalize_name, role_id
from etter_dagster.model.near_names import KnownNames

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service

PAGE = 200  # the most that a page may have
_MOST = 5000  # roles that are looked at for a hint


def role_id_of(role: str, name: str | None) -> str:
    """The id of the role that a person named.

    Args:
        role: Its id, or its company.
        name: With a company: the role.

    Raises:
        ValidationFailed: A company without a role.
    """
    if name is not None:
        return role_id(role, name)
    if not is_role_id(role):
        what = f"is missing, and '{role}' is no role id; `etter roles COMPANY` lists the roles"
        raise ValidationFailed(FieldProblem("ROLE", what))
    return role


def require_company(service: Service, company: str) -> None:
    """Refuses a company that is not known: a slip of the pen is no company without roles.

    Raises:
        NotFound: With the known name that is like it, if there is one.
    """
    known = service.companies().companies
    if normalize_name(company) not in known:
        raise unknown_company(company, known)


@contextmanager
def explained(service: Service, company: str, name: str | None) -> Iterator[None]:
    """Where something is asked of a role that is not there: says which of the names is not known.

    Args:
        service: The service.
        company: As given; a role's id, if `name` is None.
        name: The role's name.
    """
    try:
        yield
    except EtterError as error:
        if name is None or error.code is not ErrorCode.NOT_FOUND:
            raise
        require_company(service, company)
        names = list(_role_names(service, company))
        if normalize_name(name) in names or len(names) >= _MOST:
            raise
        remedy = _hint(KnownNames(names).near(normalize_name(name)), "`etter roles COMPANY`")
        raise NotFound(f"role '{name}' of '{company}'", remedy) from None


def unknown_company(company: str, known: Iterable[str]) -> NotFound:
    """The error of a company that is not among the known ones.

    Args:
        company: As given.
        known: The companies' names.
    """
    meant = KnownNames(known).near(normalize_name(company))
    return NotFound(f"company '{company}'", _hint(meant, "`etter companies`"))


def _hint(meant: str | None, lists: str | None = None) -> str:
    hint = f"did you mean '{meant}'?" if meant else ""
    return " ".join(filter(None, (hint, lists and f"{lists} lists what is known")))


def _role_names(service: Service, company: str) -> Iterator[str]:
    cursor, count = None, 0
    while True:
        page = service.roles(company, state=None, cursor=cursor, limit=PAGE)
        yield from (role.job_title for role in page.roles)
        count += len(page.roles)
        cursor = page.next_cursor
        if cursor is None or count >= _MOST:
            return
