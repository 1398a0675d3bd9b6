"""What whoever waits at a terminal is told while nothing is started."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from etter_dagster.cli import holding
from etter_dagster.stores import open_queue
from etter_dagster_tests.cli.conftest import Etter, Served
from etter_dagster_tests.cli.processes import eventually

ACME = ("push", "Acme", "Analyst", "--draup-role", "D", "--document")


def hold(service: Served, seconds: float) -> None:
    async def act() -> None:
        queue = open_queue(service.settings)
        await queue.hold_claims(seconds)
        await queue.close()

    asyncio.run(act())


def test_push_and_status_say_why_a_queued_role_does_not_start(
    etter: Etter, service: Served, jd: Path, csv: Path
) -> None:
    """Exit codes and JSON stay as they are: the push is taken."""
    hold(service, 600)
    pushed = etter(*ACME, jd)
    workflow_id = pushed.stdout.strip()
    shown = etter("status", workflow_id)
    in_json = etter("status", workflow_id, "--json")
    for ran in (pushed, shown, in_json):
        assert ran.code == 0
        assert "nothing is started now" in ran.stderr
        assert "etter drain --end" in ran.stderr
    assert in_json.json["status"] == "queued"
    hold(service, 0)
    assert "nothing is started" not in etter("status", workflow_id).stderr
    service.work()
    hold(service, 600)
    assert "nothing is started" not in etter("status", workflow_id).stderr
    assert "nothing is started now" in etter("push", "--file", csv).stderr


@pytest.mark.parametrize("many", [False, True])
def test_whoever_waits_is_told_and_told_again_when_it_goes_on(
    etter: Etter,
    service: Served,
    jd: Path,
    csv: Path,
    monkeypatch: pytest.MonkeyPatch,
    many: bool,
) -> None:
    """The hold began before, and ends while the command waits."""
    monkeypatch.setattr(holding, "LOOK_SECONDS", 0.05)
    hold(service, 600)
    told: list[str] = []
    monkeypatch.setattr(holding, "say", told.append)

    def end_the_hold_once_told() -> None:
        eventually(lambda: bool(told), "the hold is told")
        hold(service, 0)

    ending = threading.Thread(target=end_the_hold_once_told, daemon=True)
    ending.start()
    words = ("push", "--file", csv) if many else (*ACME, jd)
    with service.working():
        ran = etter(*words, "--wait")
    ending.join(60)
    assert ran.code == 0, ran.stderr
    assert told[0].startswith("nothing is started now; held: claims are held")
    assert told[1:] in ([], ["work goes on"])  # it may be ready before the next look
