"""Export and import: a restore drill over real work, and what a broken file does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.errors import EtterError
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.portable import exported, restore
from etter_dagster.onboarding.roles import assessment_view, list_roles
from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster.stores.protocols import AuditEntry
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.support import ScriptedAssessor, forced, order, scripted_services, work_off


@pytest.fixture
async def services(settings: Settings, clock: Clock) -> AsyncIterator[Services]:
    """Two companies: roles assessed twice, failed, forced; some audit."""
    assessor = ScriptedAssessor()
    opened = scripted_services(settings, assessor, clock=clock)
    await accept(opened, order("A / Söhne"))
    await accept(opened, order("B", "Globex"))
    await work_off(opened)
    clock.tick(60)
    await accept(opened, order("A / Söhne", options=forced()))
    await work_off(opened)
    assessor.script = [AssessmentFailed("no")]
    await accept(opened, order("C"))
    await work_off(opened)
    for n, company in enumerate(("Acme", "Globex", None)):
        entry = AuditEntry(
            at=clock.tick(), actor="k", action=f"act-{n}", company_id=company, target="t"
        )
        await opened.graph.append_audit([entry])
    yield opened
    await opened.close()


@pytest.fixture
async def empty(
    settings: Settings, clock: Clock, tmp_path_factory: Any
) -> AsyncIterator[Callable[[], Services]]:
    opened: list[Services] = []

    def open_empty() -> Services:
        folder = tmp_path_factory.mktemp("restored")
        opened.append(scripted_services(settings.with_changes(data_dir=folder), clock=clock))
        return opened[-1]

    yield open_empty
    for one in opened:
        await one.close()


async def lines_of(services: Services, company: str | None = None) -> list[str]:
    return [line async for line in exported(services.graph, company)]


async def test_a_restored_graph_is_the_one_that_was_exported(
    services: Services, empty: Callable[[], Services]
) -> None:
    """The drill: states, scores, history, skills and audit, all of it; and work goes on."""
    lines = await lines_of(services)
    restored = empty()
    count = await restore(restored.graph, lines)
    assert count == {"roles": 3, "pushes": 4, "audit": 3}
    assert _without_sequence(await lines_of(restored)) == _without_sequence(lines)
    for company in ("Acme", "Globex"):
        assert await list_roles(restored, company) == await list_roles(services, company)
    (role, *_), _, _ = await list_roles(restored, "Acme")
    before = await assessment_view(services, role.role_id)
    assert await assessment_view(restored, role.role_id) == before
    # A restored role that is ready and unchanged is not paid for again; a forced one is worked.
    assert (await accept(restored, order("A / Söhne"))).status.value == "ready"
    again = await accept(restored, order("A / Söhne", options=forced()))
    result = await work_off(restored)
    assert result.done == 1
    push = await restored.graph.history_of([again.workflow_id])
    assert push[again.workflow_id].status.value == "ready"


async def test_an_import_that_is_repeated_changes_nothing(
    services: Services, empty: Callable[[], Services]
) -> None:
    """Also one that was broken off half way, and into the graph that it came from."""
    lines = await lines_of(services)
    restored = empty()
    for few in (lines[:3], lines[:-2]):  # among the roles, and among the audit log
        with pytest.raises(EtterError, match="cut off"):
            await restore(restored.graph, few)
    for _ in range(2):
        await restore(restored.graph, lines)
    assert _without_sequence(await lines_of(restored)) == _without_sequence(lines)
    await restore(services.graph, lines)
    assert await lines_of(services) == lines


async def test_the_audit_log_comes_back_where_a_service_has_run_already(
    services: Services, empty: Callable[[], Services], clock: Clock
) -> None:
    """It has noted its API keys at its start; the log was then taken for restored."""
    restored = empty()
    noted = AuditEntry(at=clock(), actor="keys-file", action="create_key", target="ops")
    await restored.graph.append_audit([noted])
    await restore(restored.graph, await lines_of(services))
    found, _ = await restored.graph.audit(None, cursor=None, limit=50)
    assert [entry.action for entry in found] == ["act-2", "act-1", "act-0", "create_key"]


async def test_what_was_worked_on_since_is_not_put_back(services: Services) -> None:
    """An old export must not undo newer assessments."""
    old = await lines_of(services)
    await accept(services, order("C"))
    await work_off(services)
    new = await lines_of(services)
    await restore(services.graph, old)
    assert await lines_of(services) == new


async def test_an_export_of_a_company_holds_nothing_of_another(services: Services) -> None:
    """It may be handed to that company."""
    text = "\n".join(await lines_of(services, "Globex"))
    assert "Globex" in text
    assert "Acme" not in text
    assert "act-2" not in text


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (lambda lines: [], "cut off"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: lines[1:], "line 1"),
        (lambda lines: [lines[0], *lines], "line 2"),
        (lambda lines: [lines[0], *lines[2:]], "counts"),
        (lambda lines: [*lines, lines[-1]], "out of place"),
        (lambda lines: [lines[0], "nonsense"], "line 2"),
        (lambda lines: [lines[0], '{"role": {}}'], "line 2"),
        (lambda lines: ['{"etter_export": 99}'], "version 99"),
    ],
)
async def test_a_broken_file_is_refused_with_the_line(
    services: Services,
    empty: Callable[[], Services],
    broken: Callable[[list[str]], list[str]],
    named: str,
) -> None:
    """Half a backup that looks like a whole one is worse than none."""
    with pytest.raises(EtterError) as caught:
        await restore(empty().graph, broken(await lines_of(services)))
    assert named in caught.value.message


def _without_sequence(lines: list[str]) -> list[Any]:
    """A role's place in the order of creation is each graph's own."""
    found = [json.loads(line) for line in lines]
    for line in found:
        line.get("role", {}).pop("sequence", None)
    return found
