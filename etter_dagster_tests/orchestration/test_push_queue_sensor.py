"""The sensor launches as many serving runs as the waiting work needs, and no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration import push_queue_sensor as module
from etter_dagster.orchestration import serving_run
from etter_dagster.orchestration.jobs import build_onboard_roles
from etter_dagster.orchestration.push_queue_sensor import (
    Cursor,
    build_push_queue_sensor,
    runs_to_launch,
)
from etter_dagster.orchestration.run_tags import LAUNCH_TAG
from etter_dagster.settings import Settings
from etter_dagster_tests.support import order, scripted_services, work_off

T = TypeVar("T")
FIVE = {"roles_per_run": 5, "max_runs": 4}


# -- how many -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("claimable", "free", "starting", "serving", "runs"),
    [
        (0, 0, 0, 0, 0),  # nothing to do
        (1, 0, 0, 0, 1),
        (5, 0, 0, 0, 1),  # one run has five places
        (6, 0, 0, 0, 2),
        (1000, 0, 0, 0, 4),  # at most four runs
        (3, 3, 0, 1, 0),  # a serving run has the places
        (4, 3, 0, 1, 1),
        (5, 0, 1, 0, 0),  # a launched run will have them
        (6, 0, 1, 0, 1),
        (1000, 0, 2, 2, 0),  # all four are there or coming
        (1000, 0, 3, 2, 0),  # more than that, after the limit was lowered
    ],
)
def test_runs_are_launched_for_what_no_place_is_coming_for(
    claimable: int, free: int, starting: int, serving: int, runs: int
) -> None:
    assert runs_to_launch(claimable, free, starting, serving, places=5, most=4) == runs


_COUNT = st.integers(0, 3000)
_RUNS = st.integers(0, 20)


@given(_COUNT, _COUNT, _RUNS, _RUNS, st.integers(1, 300), st.integers(1, 20))
def test_launching_is_bounded_enough_and_settles(
    claimable: int, free: int, starting: int, serving: int, places: int, most: int
) -> None:
    """Never above the limit; either all work has a place then, or the limit is reached; and a
    second look right after asks for nothing more.
    """
    runs = runs_to_launch(claimable, free, starting, serving, places=places, most=most)
    assert runs >= 0
    assert runs == 0 or serving + starting + runs <= most
    covered = free + (starting + runs) * places
    assert covered >= claimable or serving + starting + runs >= most
    again = runs_to_launch(claimable, free, starting + runs, serving, places=places, most=most)
    assert again == 0


# -- ticks ----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def shared() -> Iterator[dg.DagsterInstance]:
    """One for all: an instance takes longer than a tick."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


class Ticks:
    """Evaluates the sensor tick by tick, as the daemon does, with the cursor going along."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
        self.instance = instance
        self.cursor: str | None = None
        self.sensor = build_push_queue_sensor(settings, build_onboard_roles())

    def __call__(self) -> list[dg.RunRequest] | str:
        """The run requests of a tick, or why there are none."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        found = list(cast("Iterator[Any]", self.sensor(context)))
        self.cursor = context.cursor
        if isinstance(found[0], dg.SkipReason):
            assert len(found) == 1
            return found[0].skip_message or ""
        return found

    def one(self) -> dg.RunRequest:
        """The run request of a tick that launches one run."""
        found = self()
        assert not isinstance(found, str), found
        (request,) = found
        return request

    def launched(self) -> int:
        found = self()
        return 0 if isinstance(found, str) else len(found)

    def work(self, act: Callable[[Services], Awaitable[T]]) -> T:
        async def run() -> T:
            services = scripted_services(self.settings)
            try:
                return await act(services)
            finally:
                await services.close()

        return asyncio.run(run())

    def push(self, count: int, name: str = "R") -> None:
        self.work(lambda s: accept_many(s, [order(f"{name}{n}") for n in range(count)]))


@pytest.fixture
def ticks(settings: Settings, shared: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """Ticks that do not wait for work."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.0)
    return Ticks(settings.with_changes(**FIVE), shared)


def test_an_idle_queue_is_said_to_be_idle(ticks: Ticks) -> None:
    said = ticks()
    assert isinstance(said, str)
    assert said.startswith("0 waiting, 0 in work, 0 runs serving")


def test_a_push_gets_a_run_and_the_next_tick_does_not_launch_another(ticks: Ticks) -> None:
    """The run takes seconds to start; each tick until then would launch one more."""
    ticks.push(3)
    request = ticks.one()
    assert request.run_key == request.tags[LAUNCH_TAG]
    assert request.partition_key is None
    assert "1 starting" in str(ticks())


def test_a_flood_gets_all_runs_and_a_later_one_no_more(
    ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there are cores, where that is less."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    ticks.push(100)
    assert ticks.launched() == 4
    ticks.push(100, "S")
    assert ticks.launched() == 0


def test_work_that_the_limits_hold_back_needs_no_run(ticks: Ticks) -> None:
    """`claimable` is what a claim would hand out; a run for the rest would only spin."""
    ticks.settings = ticks.settings.with_changes(max_in_flight_per_company=2)
    ticks.sensor = build_push_queue_sensor(ticks.settings, build_onboard_roles())
    ticks.push(50)
    assert ticks.launched() == 1


def test_a_run_that_claims_is_counted_by_its_free_places(ticks: Ticks) -> None:
    ticks.push(4)
    request = ticks.one()
    name = request.tags[LAUNCH_TAG]
    ticks.work(lambda s: s.queue.claim(name, 5, limits=s.limits, lease_seconds=30))
    ticks.push(1, "S")
    assert "1 runs serving with 1 free places, 0 starting" in str(ticks())
    ticks.push(2, "T")
    assert ticks.launched() == 1


def test_a_run_whose_heartbeat_is_older_than_a_lease_is_not_counted(ticks: Ticks) -> None:
    """Dagster may call it STARTED for ever: the code server died with it."""
    ticks.settings = ticks.settings.with_changes(lease_seconds=1)
    ticks.sensor = build_push_queue_sensor(ticks.settings, build_onboard_roles())
    ticks.push(1)
    request = ticks.one()
    name = request.tags[LAUNCH_TAG]
    ticks.work(lambda s: s.queue.claim(name, 5, limits=s.limits, lease_seconds=1))
    assert ticks.launched() == 0
    deadline = time.monotonic() + 60
    while not ticks.launched():  # its push is claimable again, and its places do not count
        assert time.monotonic() < deadline


def test_a_run_that_has_claimed_all_it_will_is_not_counted(ticks: Ticks) -> None:
    ticks.push(6)
    ticks.work(
        lambda s: s.queue.heartbeat("old", {}, lease_seconds=30, free_places=5, claiming=False)
    )
    assert ticks.launched() == 2


def test_a_launched_run_that_ended_before_it_claimed_is_replaced(ticks: Ticks) -> None:
    ticks.push(1)
    request = ticks.one()
    ticks.instance.add_run(
        dg.DagsterRun("onboard_roles", tags=request.tags, status=dg.DagsterRunStatus.FAILURE)
    )
    assert ticks.launched() == 1


def test_a_launched_run_that_never_came_is_replaced_one_that_waits_is_not(
    ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that Dagster holds back is still to come, however long that takes."""
    ticks.push(1)
    request = ticks.one()
    monkeypatch.setattr(module, "STARTING_SECONDS", -1.0)
    run = dg.DagsterRun("onboard_roles", tags=request.tags, status=dg.DagsterRunStatus.NOT_STARTED)
    ticks.instance.add_run(run)
    assert ticks.launched() == 0
    ticks.instance.delete_run(run.run_id)
    assert ticks.launched() == 1


@pytest.mark.parametrize("text", ["", "7", "[]", "nonsense", '{"sequence": "x", "launched": {}}'])
def test_a_cursor_that_cannot_be_read_starts_over(ticks: Ticks, text: str) -> None:
    assert Cursor.read(text) == Cursor()
    ticks.cursor = text
    ticks.push(1)
    assert ticks.launched() == 1


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(17, {"serving-1": 12.5})
    assert Cursor.read(cursor.write()) == cursor


# -- the rest of a tick ----------------------------------------------------------------------------
def test_new_roles_get_their_partitions_each_once(ticks: Ticks) -> None:
    ticks.push(3, "P")
    ticks()
    keys = {role_id("Acme", f"P{n}") for n in range(3)}
    assert keys <= set(ticks.instance.get_dynamic_partitions("roles"))
    # A partition that somebody deleted on purpose is not added behind their back.
    ticks.instance.delete_dynamic_partition("roles", role_id("Acme", "P0"))
    ticks()
    assert role_id("Acme", "P0") not in ticks.instance.get_dynamic_partitions("roles")


def test_what_a_dead_worker_left_in_the_outbox_gets_into_the_history(ticks: Ticks) -> None:
    async def act(services: Services) -> None:
        made = await accept(services, order("Left"))
        await services.queue.cancel(made.workflow_id, now=services.clock())

    ticks.work(act)
    assert len(ticks.work(lambda s: s.queue.outbox(10))) == 1
    ticks()
    assert ticks.work(lambda s: s.queue.outbox(10)) == []
    assert ticks.work(lambda s: s.graph.newest_push(role_id("Acme", "Left"))) is not None


def test_a_tick_waits_for_work_and_returns_as_soon_as_there_is_some(
    settings: Settings, shared: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle system must not take a whole interval to see a push."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 60.0)
    ticks = Ticks(settings, shared)

    async def push_while_it_waits() -> list[dg.RunRequest] | str:
        tick = asyncio.ensure_future(asyncio.to_thread(ticks))
        await asyncio.sleep(0.3)
        assert not tick.done()
        services = scripted_services(settings)
        try:
            await accept(services, order())
        finally:
            await services.close()
        return await tick

    started = time.monotonic()
    assert len(asyncio.run(push_while_it_waits())) == 1
    assert time.monotonic() - started < 30


def test_a_store_that_cannot_be_reached_is_said_and_the_next_tick_goes_on(
    tmp_path: Path, ticks: Ticks
) -> None:
    ticks.push(1)
    good = ticks.settings
    broken = tmp_path / "broken"
    broken.write_text("a file where the folder should be")
    ticks.sensor = build_push_queue_sensor(
        good.with_changes(data_dir=broken), build_onboard_roles()
    )
    said = ticks()
    assert isinstance(said, str)
    assert "store cannot be reached" in said
    ticks.sensor = build_push_queue_sensor(good, build_onboard_roles())
    assert ticks.launched() == 1


@pytest.mark.parametrize("error", [SourceUnavailable("down"), RuntimeError("a bug of theirs")])
def test_the_queue_is_served_although_the_taxonomy_cannot_be_read(
    ticks: Ticks, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What was pushed has all it needs; an outage elsewhere must not stop the work."""

    async def down(services: Services) -> list[str]:
        raise error

    monkeypatch.setattr(serving_run, "prepare", down)
    ticks.push(1)
    assert ticks.launched() == 1


def test_a_served_queue_is_idle_again(ticks: Ticks) -> None:
    ticks.push(3)
    assert ticks.launched() == 1
    ticks.work(work_off)
    assert "0 waiting, 0 in work" in str(ticks())


def test_it_runs_by_default_and_names_its_job(settings: Settings) -> None:
    """With the sensor stopped, every push would wait for ever."""
    sensor = build_push_queue_sensor(settings, build_onboard_roles())
    assert sensor.name == "push_queue_sensor"
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.job_name == "onboard_roles"
