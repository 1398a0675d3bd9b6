"""The platform's taxonomy API: the roles of a company, page by page.

Its company is a number (`COMPANIES_FILE` maps it) and its text filters match parts, so whole lists
are read, and names are compared here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.model.taxonomy_changes import preference
from etter_dagster.sources.companies import CompaniesFile, Company
from etter_dagster.sources.http_api import HttpApi
from etter_dagster.sources.storable import Id, Text, storable

PATH = "/api/taxonomy/roles"
PAGE_SIZE = 200  # the most that the API gives
MAX_PAGES = 1000
TRIES = 2  # of reading a list that changes between two of its pages
KEEP_SECONDS = 5.0  # a list, for looking up single roles: a burst of pushes reads it once
ACTIVE, _APPROVED = "active", "approved"
_log = logging.getLogger(__name__)


def _mapped(value: str | None) -> str | None:
    """A Draup role as one that is pushed; a blank one is none."""
    return (normalize_name(value) or None) if value else None


def _words(value: object) -> object:
    found = value if isinstance(value, list) else ()
    return [storable(one) for one in found if isinstance(one, str)]


_DraupRole = Annotated[Text, AfterValidator(_mapped)]


class _Row(BaseModel):
    """One role as the API gives it; what else it gives is left alone."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    job_id: Id
    job_title: str | None = None
    job_role: str | None = None
    draup_role: _DraupRole = None
    draup_role_id: _DraupRole = None
    occupation: Text = None
    job_family: Text = None
    skills: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    general_summary: Text = None
    approval_status: Text = None


class _Page(BaseModel):
    data: list[_Row]
    total_count: int = Field(ge=0)
    page: int | None = None
    total_pages: int = Field(ge=0)


class TaxonomyApi:
    """Reads the API.

    Args:
        api: The API.
        companies: Their numbers and tokens.
        token: For companies that have none of their own.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        api: HttpApi,
        companies: CompaniesFile,
        token: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._companies = companies
        self._token = token
        self._clock = clock
        self._kept: dict[str, tuple[float, dict[str, TaxonomyEntry]]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get_companies(self) -> list[str]:
        """Names of the companies of the file."""
        if not self._companies.configured:
            raise SourceUnavailable(
                f"{self._api.name} knows companies by number: set ETTER_COMPANIES_FILE"
            )
        return sorted(self._companies.companies())

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> list[TaxonomyEntry]:
        """All roles of a company; none for one that the file does not name."""
        name = normalize_name(company_name)
        company = self._companies.companies().get(name)
        if company is None:
            self.get_companies()  # says so where there is no file at all
            return []
        entries = [entry for row in self._rows(company) if (entry := _entry(name, row))]
        best_last = sorted(entries, key=preference, reverse=True)
        self._kept[name] = self._clock(), {entry.job_title: entry for entry in best_last}
        return [entry for entry in entries if status_filter in (None, entry.status)]

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        """One role, of a list that is at most some seconds old."""
        name = normalize_name(company_name)
        with self._locks[name]:  # many pushes at once wait for one reading
            read_at, entries = self._kept.get(name, (float("-inf"), {}))
            if self._clock() - read_at > KEEP_SECONDS:
                self.get_roles_for_company(name)
                _, entries = self._kept.get(name, (0.0, {}))
        return entries.get(normalize_name(role_name))

    def close(self) -> None:
        """Closes the connections to the API."""
        self._api.close()

    def probe(self, most: int | None = None) -> None:
        """Asks for one role of each company; as `Probed.probe`."""
        for name in self.get_companies()[:most]:
            self._page(self._companies.companies()[name], 1, size=1)

    def _rows(self, company: Company) -> list[_Row]:
        found = 0
        for attempt in range(1, TRIES + 1):
            rows, total = self._read(company)
            found = len(rows)
            # A role twice means that the pages moved, and another was missed.
            moved = len({row.job_id for row in rows}) < found and attempt < TRIES
            if found == total and not moved:
                return rows
        raise self._api.wrong(f"holds {found} roles of {company.name} and not all it counts")

    def _read(self, company: Company) -> tuple[list[_Row], int]:
        """All pages, and how many roles there must be (-1: that changed on the way)."""
        rows: list[_Row] = []
        first = last = self._page(company, 1)
        rows += first.data
        if first.total_pages > MAX_PAGES:
            raise self._api.wrong(f"has {first.total_pages} pages; at most {MAX_PAGES} are read")
        for number in range(2, first.total_pages + 1):
            last = self._page(company, number)
            rows += last.data
            if last.total_count != first.total_count:
                return rows, -1
        return rows, first.total_count

    def _page(self, company: Company, number: int, size: int = PAGE_SIZE) -> _Page:
        own = company.taxonomy_token
        body = self._api.get(
            PATH,
            {
                "company_id": company.taxonomy_company_id,
                "page": number,
                "page_size": size,
            },
            token=own.get_secret_value() if own else self._token,
            whose=f"taxonomy_token of {company.name} in ETTER_COMPANIES_FILE"
            if own
            else "ETTER_TAXONOMY_API_TOKEN",
        )
        try:
            page = _Page.model_validate(body)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise self._api.wrong(f"is not a list of roles (at {where})") from None
        if page.page not in (None, number):
            raise self._api.wrong(f"is page {page.page} where page {number} was asked for")
        return page


def _entry(company: str, row: _Row) -> TaxonomyEntry | None:
    """The role, or None where it has no usable name."""
    title = normalize_name(row.job_title or row.job_role or "")
    if problem := name_problem("job_title", title):
        _log.warning("taxonomy of %s: job %s: job_title %s", company, row.job_id, problem.message)
        return None
    status = (row.approval_status or ACTIVE).strip().lower()
    return TaxonomyEntry(
        **row.model_dump(exclude={"job_title", "approval_status", "job_role"}),
        company_name=company,
        job_title=title,
        job_role=storable(row.job_role),
        status=ACTIVE if status == _APPROVED else status,
    )
