"""An outage while few roles are pushed: what waits, and what fails and is pushed again."""

from __future__ import annotations

import socket

from etter_dagster.onboarding.accept import Accepted, accept_many
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.paid.conftest import Paid, states
from etter_dagster_tests.standin.state import ASSESS, Fault, StandinState
from etter_dagster_tests.support import order, work_off


async def test_a_single_role_waits_where_nobody_listens(paid_settings: Settings) -> None:
    """No role is to blame for a refused connection, so one role is enough to see it."""
    with socket.socket() as unused:  # bound, and never listening
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        services = open_services(paid_settings.with_changes(workflow_api_base_url=url))
        assert services.assessors.guard is not None
        services.assessors.guard.rest_seconds = 600.0
        try:
            (answer,) = await accept_many(services, [order()])
            assert isinstance(answer, Accepted)
            await work_off(services)
            assert await states(services, [answer.workflow_id]) == {"queued": 1}
            push = await services.queue.get(answer.workflow_id)
            assert push is not None
            assert push.attempts == 0, "it loses no attempt to it"
            assert (await services.queue.counts(await services.limits_now())).claimable == 0
        finally:
            await services.close()


async def test_a_few_roles_fail_where_the_service_answers_with_errors(
    paid: Paid, state: StandinState
) -> None:
    """It cannot be told from roles that always fail; pushed again later they get ready."""
    state.fail(ASSESS, Fault(status=503), times=None)
    ids = await paid.push(["one", "two", "three"])
    await work_off(paid.services)
    assert await paid.states(ids) == {"failed": 3}
    assert state.count(ASSESS) == 15
    errors = {
        push.error and (push.error.code, push.error.recoverable)
        for push in (await paid.pushes(ids)).values()
    }
    assert errors == {("STEP_FAILED", True)}
    assert (await paid.services.ledger.spending()).cost == 0
    state.heal(ASSESS)
    again = await paid.push(["one", "two", "three"])
    await work_off(paid.services)
    assert await paid.states(again) == {"ready": 3}
