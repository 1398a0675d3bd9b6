"""A push by name alone over the platform's APIs: asked once, within a bound, only if needed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from etter_dagster.model.errors import EtterError, SourceUnavailable, ValidationFailed
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.onboarding import known
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.services import SOURCE_CALLS, Services
from etter_dagster.settings import Settings
from etter_dagster_tests import papers
from etter_dagster_tests.standin.catalogue import (
    DOCUMENT,
    DOCUMENTS,
    DOWNLOAD,
    TAXONOMY,
    PlatformState,
)
from etter_dagster_tests.standin.platform_api import create_platform
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import Fault
from etter_dagster_tests.support import JD, order, scripted_services, work_off

RID = role_id("Acme", "Analyst")


@dataclass
class Opened:
    state: PlatformState
    services: Services


@pytest.fixture
def opened(settings: Settings, tmp_path: Path) -> Iterator[Opened]:
    state = PlatformState(token="general")
    companies = tmp_path / "companies.json"
    companies.write_text(json.dumps([{"name": "Acme", "taxonomy_company_id": 7}]))
    with serving(create_platform(state)) as url:
        configured = settings.with_changes(
            taxonomy_api_base_url=url,
            taxonomy_api_token="general",
            documents_api_base_url=url,
            documents_api_token="general",
            companies_file=companies,
        )
        yield Opened(state, scripted_services(configured))


def by_name() -> PushOrder:
    return order(documents=(), draup_role_name=None)


async def test_a_push_by_name_alone_finds_what_it_needs(opened: Opened) -> None:
    opened.state.put_role(7, "j-1", "Analyst", draup_role="Data Analyst")
    opened.state.put_document("d1", "Analyst", data=JD.encode(), name="jd.md")
    await accept(opened.services, by_name())
    assert opened.state.count(TAXONOMY) == 1
    assert opened.state.count(DOCUMENTS) == 1
    assert opened.state.count(DOCUMENT) == opened.state.count(DOWNLOAD) == 0, "links run out"
    await work_off(opened.services)
    role = await opened.services.graph.role(RID)
    assert role is not None
    assert (role.state, role.draup_role_name) == (RoleStatus.READY, "Data Analyst")
    (document,) = await opened.services.graph.documents(RID)
    assert (document.content, document.name) == (JD, "jd.md")
    await opened.services.close()


async def test_the_taxonomys_summary_counts_where_no_document_is_there(opened: Opened) -> None:
    opened.state.put_role(7, "j-1", "Analyst", general_summary="- Prepare weekly reports")
    await accept(opened.services, by_name())
    await work_off(opened.services)
    (document,) = await opened.services.graph.documents(RID)
    assert (document.content, document.name) == (
        "- Prepare weekly reports",
        "summary of the taxonomy",
    )
    await opened.services.close()


async def test_a_push_that_brings_all_asks_nobody(opened: Opened) -> None:
    await accept(opened.services, order())
    assert opened.state.calls == []
    await opened.services.close()


async def test_what_is_nowhere_is_a_missing_document_and_no_outage(opened: Opened) -> None:
    opened.state.put_role(7, "j-1", "Analyst")
    opened.state.put_document("d1", "Senior Analyst")
    with pytest.raises(ValidationFailed, match="none is known yet"):
        await accept(opened.services, by_name())
    await opened.services.close()


@pytest.mark.parametrize("endpoint", [TAXONOMY, DOCUMENTS])
async def test_an_outage_is_never_a_missing_document(opened: Opened, endpoint: str) -> None:
    opened.state.put_role(7, "j-1", "Analyst")
    opened.state.put_document("d1", "Analyst")
    opened.state.fail(endpoint, Fault(status=429, headers={"Retry-After": "7"}))
    with pytest.raises(SourceUnavailable, match="answered 429") as caught:
        await accept(opened.services, by_name())
    assert caught.value.retry_after == 7
    await accept(opened.services, by_name())
    await opened.services.close()


async def test_all_that_is_asked_of_one_push_has_one_bound(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller waits for the answer; three slow sources must not add up to half a minute."""
    monkeypatch.setattr(known, "ASK_SECONDS", 0.5)
    opened.state.put_role(7, "j-1", "Analyst")
    opened.state.fail(DOCUMENTS, Fault(delay=30), times=None)
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match="gave no answer within"):
        await accept(opened.services, by_name())
    assert time.monotonic() - started < 15
    await opened.services.close()


async def test_a_batch_never_asks_a_remote_source(opened: Opened) -> None:
    """10,000 roles would be as many questions."""
    opened.state.put_role(7, "j-1", "Analyst")
    opened.state.put_document("d1", "Analyst")
    answers = await accept_many(opened.services, [by_name(), order("Clerk")])
    assert [isinstance(answer, EtterError) for answer in answers] == [True, False]
    assert opened.state.calls == []
    await opened.services.close()


async def test_a_slow_source_holds_no_thread_that_assessments_need(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it asked for hundreds of documents at once: the loop's own threads stay free."""
    names = [f"Role {number}" for number in range(SOURCE_CALLS + 10)]
    for number, name in enumerate(names):
        opened.state.put_role(7, f"j-{number}", name)
        opened.state.put_document(f"d{number}", name, data=JD.encode(), name="jd.md")
        await accept(opened.services, order(name, documents=(), draup_role_name="Data Analyst"))
    hold = threading.Event()
    before = opened.state.count(DOCUMENTS)
    opened.state.fail(DOCUMENTS, Fault(hold=hold), times=None)
    work = asyncio.ensure_future(work_off(opened.services))
    while opened.state.count(DOCUMENTS) - before < SOURCE_CALLS:
        await asyncio.sleep(0.01)
    assert await asyncio.to_thread(lambda: "free") == "free"
    assert opened.state.count(DOCUMENTS) - before == SOURCE_CALLS
    hold.set()
    await work
    for name in names:
        role = await opened.services.graph.role(role_id("Acme", name))
        assert role is not None
        assert role.state is RoleStatus.READY
    await opened.services.close()


async def test_a_document_that_cannot_be_read_fails_its_push_alone(opened: Opened) -> None:
    """The error names the document and the remedy; the role beside it is assessed."""
    opened.state.put_document("d1", "Analyst", data=papers.encrypted_pdf(), name="jd.pdf")
    opened.state.put_document("d2", "Clerk", data=papers.pdf(JD.splitlines()), name="jd.pdf")
    states = {}
    for name in ("Analyst", "Clerk"):
        accepted = await accept(
            opened.services, order(name, documents=(), draup_role_name="Data Analyst")
        )
        states[name] = accepted.workflow_id
    await work_off(opened.services)
    found = await opened.services.queue.get_many(list(states.values()))
    failed = found[states["Analyst"]]
    assert failed.error is not None
    assert failed.error.code == "VALIDATION_ERROR"
    assert "jd.pdf is encrypted; save a copy without a password" in failed.error.message
    assert found[states["Clerk"]].error is None
    await opened.services.close()
