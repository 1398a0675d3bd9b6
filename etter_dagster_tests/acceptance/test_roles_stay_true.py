"""Five companies in the platform's taxonomy and documents APIs: what changes there is noticed,
what did not change is not, and the night assesses exactly what is stale.

`SYNC_ROLES=2500 pytest etter_dagster_tests/acceptance/test_roles_stay_true.py` is the full size.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.onboarding import tick_time
from etter_dagster.onboarding.nightly import push_plan, reassessment_plan
from etter_dagster.onboarding.rounds import Round
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import reasons_now
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.orchestration.source_sensors import Tick, document_tick, taxonomy_tick
from etter_dagster.settings import Settings
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.sources.platform import FAILURES
from etter_dagster_tests.standin.catalogue import DOCUMENT, DOCUMENTS, TAXONOMY, PlatformState
from etter_dagster_tests.standin.platform_api import create_platform
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import Fault
from etter_dagster_tests.support import JD, ScriptedAssessor, scripted_services, work_off

COMPANIES = ["Acme", "Büro & Söhne", "Liberty / Mutual", "Umbrella 100 %", "Zeta"]
LONG = TickTime(600, 600)
SIZE = int(os.environ.get("SYNC_ROLES", "100"))


@dataclass
class Platform:
    """The stand-in, filled and changed."""

    state: PlatformState
    url: str
    changes: Counter[str] = field(default_factory=Counter)

    def role(self, company: int, number: int, **changes: object) -> None:
        self.state.put_role(company, f"{company}-{number}", f"Role {number:04}", **changes)

    def document(self, company: int, number: int, text: str = JD) -> None:
        key = f"doc-{company}-{number}"
        self.changes[key] += 1
        self.state.put_document(
            key,
            f"Role {number:04}",
            data=f"{text}- Task {number} of company {company}\n".encode(),
            name="job description.md",
            token=f"documents-{company}",
            updated_at=f"2026-01-05T09:00:{self.changes[key]:02}Z",
        )

    def fill(self, roles: int) -> None:
        for company in range(len(COMPANIES)):
            for number in range(roles // len(COMPANIES)):
                self.role(company, number)
                self.document(company, number)

    def settings(self, settings: Settings, folder: Path) -> Settings:
        path = folder / "companies.json"
        listed = [
            {
                "name": name,
                "taxonomy_company_id": number,
                "taxonomy_token": f"taxonomy-{number}",
                "documents_token": f"documents-{number}",
            }
            for number, name in enumerate(COMPANIES)
        ]
        path.write_text(json.dumps(listed))
        return settings.with_changes(
            companies_file=path,
            taxonomy_api_base_url=self.url,
            documents_api_base_url=self.url,
        )


@dataclass
class Etter:
    """Our side: both sensors, the workers, and the night."""

    services: Services
    instance: dg.DagsterInstance
    rounds: dict[str, Round] = field(default_factory=lambda: {"t": Round(), "d": Round()})

    async def taxonomy(self) -> str:
        return await taxonomy_tick(self.services, self.instance, self.rounds["t"], LONG)

    async def documents(self) -> str:
        return await document_tick(self.services, self.instance, self.rounds["d"], LONG)

    async def notice(self) -> None:
        """What the sensors do within a few minutes."""
        await self.taxonomy()
        await self.documents()
        await self.taxonomy()

    async def roles(self) -> dict[str, Role]:
        """All roles by id."""
        found: dict[str, Role] = {}
        for company in await self.services.graph.companies():
            page = await self.services.graph.roles(company, limit=SIZE + 100)
            found |= {role.role_id: role for role in page}
        return found

    async def stale(self) -> set[str]:
        roles = (await self.roles()).values()
        return {r.role_id for r in roles if reasons_now(self.services, r)}

    @property
    def assessed(self) -> int:
        assert isinstance(self.services.assessors.configured, ScriptedAssessor)
        return len(self.services.assessors.configured.requests)


@pytest.fixture
def platform() -> Iterator[Platform]:
    state = PlatformState(
        own_tokens={number: f"taxonomy-{number}" for number in range(len(COMPANIES))}
    )
    with serving(create_platform(state)) as url:
        yield Platform(state, url)


@pytest.fixture
async def etter(
    platform: Platform, settings: Settings, tmp_path: Path, clock: Clock
) -> AsyncIterator[Etter]:
    services = scripted_services(platform.settings(settings, tmp_path), clock=clock)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Etter(services, instance)
    await services.close()


def rid(company: int, number: int) -> str:
    return role_id(COMPANIES[company], f"Role {number:04}")


@pytest.mark.timeout(1800)
async def test_exactly_what_changed_is_noticed_and_assessed_again(
    platform: Platform, etter: Etter, clock: Clock
) -> None:
    platform.fill(SIZE)
    await etter.notice()
    await work_off(etter.services)
    roles = await etter.roles()
    assert Counter(role.state for role in roles.values()) == {RoleStatus.READY: SIZE}
    assert set(etter.instance.get_dynamic_partitions("roles")) == set(roles)
    assert etter.assessed == SIZE

    clock.tick(3600)
    await etter.notice()
    assert (await etter.stale(), etter.assessed) == (set(), SIZE), "nothing changed"

    texts = [(number % 5, number) for number in range(10)]
    for company, number in texts:
        platform.document(company, number, JD + "- Something new\n")
    platform.document(0, 11, JD.replace("\n", "\r\n"))  # saved anew, the same text
    mappings = [(0, 12), (1, 12), (4, 13)]
    for company, number in mappings:
        platform.role(company, number, draup_role="Another Draup role")
    platform.role(2, 14, occupation="Changed, and no input")
    new = [(1, 9000), (3, 9001)]
    for company, number in new:
        platform.role(company, number)
        platform.document(company, number)
    platform.state.remove_role(2, "2-15")
    fetched = platform.state.count(DOCUMENT)
    await etter.notice()

    changed = {rid(*one) for one in texts + mappings}
    assert await etter.stale() == changed
    assert platform.state.count(DOCUMENT) - fetched == len(texts) + 1, "only what changed"
    roles = await etter.roles()
    assert {r.role_id for r in roles.values() if r.state is RoleStatus.STALE} == changed
    assert {r.role_id for r in roles.values() if r.state is RoleStatus.DRAFT} == {
        rid(*one) for one in new
    }
    removed = {r.role_id for r in roles.values() if r.taxonomy and r.taxonomy.status == "removed"}
    assert removed == {rid(2, 15)}
    assert roles[rid(2, 15)].state is RoleStatus.READY
    await work_off(etter.services)
    assert etter.assessed == SIZE + len(new), "new roles were pushed, stale ones wait for the night"

    clock.tick(3600)
    plan = await reassessment_plan(etter.services)
    assert {role.role_id for role in plan.pushes} == changed
    assert (await push_plan(etter.services, plan)).pushed == len(changed)
    await work_off(etter.services)
    assert etter.assessed == SIZE + len(new) + len(changed)
    assert await etter.stale() == set()
    states = Counter(role.state for role in (await etter.roles()).values())
    assert states == {RoleStatus.READY: SIZE + len(new)}


async def changed_unseen(platform: Platform, etter: Etter) -> dict[str, Role]:
    """A document, a mapping and a list have changed, and nobody has looked yet."""
    platform.fill(10)
    await etter.notice()
    await work_off(etter.services)
    platform.document(0, 0, JD + "- Something new\n")
    platform.role(1, 1, draup_role="Another Draup role")
    platform.state.remove_role(2, "2-1")
    return await etter.roles()


async def assert_caught_up(platform: Platform, etter: Etter, clock: Clock) -> None:
    platform.state.heal()
    clock.tick(3600)
    await etter.notice()
    assert await etter.stale() == {rid(0, 0), rid(1, 1)}
    entry = (await etter.roles())[rid(2, 1)].taxonomy
    assert entry is not None
    assert entry.status == "removed"


@pytest.mark.parametrize("endpoint", [TAXONOMY, DOCUMENTS, DOCUMENT])
@pytest.mark.parametrize(
    "name",
    ["reset", "half a page", "not JSON", "other JSON", "error in 200", "401", "429", "500"],
)
async def test_no_way_of_failing_marks_anything_and_all_is_caught_up(
    platform: Platform, etter: Etter, clock: Clock, endpoint: str, name: str
) -> None:
    fault, says = next((fault, says) for n, fault, says, _ in FAILURES if n == name)
    before = await changed_unseen(platform, etter)
    platform.state.fail(endpoint, fault, times=None)
    said = await (etter.taxonomy() if endpoint == TAXONOMY else etter.documents())
    if endpoint != DOCUMENT or "is not a list" not in says:
        assert says in said or "holds no download link" in said
    assert await etter.roles() == before
    await assert_caught_up(platform, etter, clock)


@pytest.mark.parametrize("endpoint", [TAXONOMY, DOCUMENTS, DOCUMENT])
async def test_a_source_that_is_slower_than_a_tick_marks_nothing(
    platform: Platform,
    etter: Etter,
    clock: Clock,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = await changed_unseen(platform, etter)
    monkeypatch.setattr(tick_time, "LEAST_SECONDS", 3.0)
    hold = threading.Event()
    platform.state.fail(endpoint, Fault(hold=hold), times=None)
    tick = taxonomy_tick if endpoint == TAXONOMY else document_tick
    try:
        said = await tick(etter.services, etter.instance, Round(), TickTime(600, 3))
    finally:
        hold.set()
    assert "gave no answer within" in said
    assert await etter.roles() == before
    await assert_caught_up(platform, etter, clock)


@pytest.mark.parametrize("tick", [taxonomy_tick, document_tick])
async def test_a_source_that_is_down_marks_nothing(
    platform: Platform, etter: Etter, clock: Clock, tick: Tick
) -> None:
    before = await changed_unseen(platform, etter)
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = etter.services.settings.with_changes(
            taxonomy_api_base_url=url, documents_api_base_url=url
        )
        services = scripted_services(settings, clock=clock)
        said = await tick(services, etter.instance, Round(), LONG)
        await services.close()
    assert said.count("cannot be reached (ConnectError)") == len(COMPANIES)
    assert await etter.roles() == before
    await assert_caught_up(platform, etter, clock)


async def test_a_list_that_is_cut_short_removes_nothing(platform: Platform, etter: Etter) -> None:
    """A page that lacks what the total counts is no proof that roles are gone."""
    platform.fill(10)
    await etter.notice()

    def shorter(body: dict[str, object]) -> dict[str, object]:
        assert isinstance(body["data"], list)
        return {**body, "data": body["data"][:1]}

    platform.state.fail(TAXONOMY, Fault(change=shorter), times=None)
    assert "not all it counts" in await etter.taxonomy()
    entries = [role.taxonomy for role in (await etter.roles()).values()]
    assert {entry.status for entry in entries if entry} == {"active"}
