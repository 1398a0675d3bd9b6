"""A push of a role that is not known and brings nothing: the role that was probably meant."""

from __future__ import annotations

from etter_dagster.model.errors import EtterError, FieldProblem, ValidationFailed
from etter_dagster.model.near_names import KnownNames
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import list_key

_PAGE = 500
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
        meant = known.near(role_name) if self._near else known.same(role_name)
        if meant is None:
            return refusal
        hint = FieldProblem("role_name", f"'{role_name}' is not known; did you mean '{meant}'?")
        return ValidationFailed(*refusal.fields, hint)

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
