"""The stand-in does what the real assessment service does, and fails as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator

import httpx
import pytest

from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, CREATE, HEALTH, LINK, Fault, StandinState

JD = "# Baker\n\n- Mix dough\n- Bake bread; cool it\n"
PATH = "/api/automated_workflows"


@pytest.fixture
def state() -> StandinState:
    return StandinState()


@pytest.fixture
def client(state: StandinState) -> Iterator[httpx.Client]:
    with serving(create_standin(state)) as url, httpx.Client(base_url=url, timeout=10) as client:
        yield client


def post(client: httpx.Client, name: str, **body: object) -> httpx.Response:
    return client.post(f"{PATH}/{name}", json=body)


def set_up(client: httpx.Client, role: str = "Baker", jd: str = JD) -> str:
    created = post(client, CREATE, company_name="Acme", role_name=role, draup_role="Bakers")
    role_id: str = created.json()["company_role_id"]
    linked = post(client, LINK, company_role_id=role_id, jd_content=jd, format_with_llm=False)
    assert linked.json()["status"] == "success"
    return role_id


def assess(
    client: httpx.Client, role_id: str, role: str = "Baker", **more: object
) -> httpx.Response:
    return post(
        client, ASSESS, company_name="Acme", role_name=role, company_role_id=role_id, **more
    )


def test_an_assessment_has_the_shape_and_size_of_the_real_one(client: httpx.Client) -> None:
    response = assess(client, set_up(client))
    answer = response.json()
    assert answer["status"] == "success"
    assert {"request_id", "execution_time", "steps_executed", "ai_automation_score"} <= set(answer)
    results = answer["assessment_data"]["step_results"]
    quantified = results["ai_impact_quantification"]
    assert 47.0 <= quantified["ai_automation_score"] <= 66.5
    assert quantified["ai_automation_score"] == pytest.approx(
        quantified["ai_automation_potential_score"] + quantified["ai_augmentation_potential_score"]
    )
    assert results["fetch_job_description"]["jd_content"] == JD
    (row,) = results["ai_impact_assessment"]["table"]
    cells = [cell for column, cell in row.items() if column != "Workload" and cell]
    tasks = sorted(task for cell in cells for task in cell.split("; "))
    assert tasks == ["Bake bread, cool it", "Mix dough"]


def test_the_answer_to_a_real_jd_has_22_to_25_kb(client: httpx.Client) -> None:
    jd = "# Baker\n\n" + "\n".join(f"- Bake loaf {i} with care" for i in range(25))
    answer = assess(client, set_up(client, jd=jd)).json()
    size = len(json.dumps(answer, separators=(",", ":")))
    assert 22_000 <= size <= 25_000


def test_creating_a_role_twice_gives_the_same_id(client: httpx.Client) -> None:
    assert set_up(client) == set_up(client)
    assert set_up(client) != set_up(client, role="Cook")


def test_it_answers_from_its_cache_even_when_the_jd_has_changed(
    client: httpx.Client, state: StandinState
) -> None:
    """The real service does; only `delete_existing` makes it look at the new JD."""
    role_id = set_up(client)
    first = assess(client, role_id).json()
    set_up(client, jd=JD + "- Sell cakes\n")
    assert assess(client, role_id).json() == first
    second = assess(client, role_id, delete_existing=True).json()
    assert second["request_id"] != first["request_id"]
    assert second["ai_automation_score"] != first["ai_automation_score"]
    assert state.count(ASSESS, "Acme", "Baker") == 3


def test_it_knows_no_idempotency_key_but_notes_it(
    client: httpx.Client, state: StandinState
) -> None:
    role_id = set_up(client)
    body = {"company_name": "Acme", "role_name": "Baker", "company_role_id": role_id}
    ids = {
        client.post(
            f"{PATH}/{ASSESS}",
            json=body | {"delete_existing": True},
            headers={"Idempotency-Key": "k"},
        ).json()["request_id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert [call.idempotency_key for call in state.calls if call.endpoint == ASSESS] == ["k", "k"]


def test_an_unknown_role_and_a_missing_jd_are_errors_with_http_200(client: httpx.Client) -> None:
    created = post(client, CREATE, company_name="Acme", role_name="Baker")
    for role_id in ("svc-role-unknown", created.json()["company_role_id"]):
        response = assess(client, role_id)
        assert (response.status_code, response.json()["status"]) == (200, "error")
        assert response.json()["message"]


def test_a_missing_field_is_422(client: httpx.Client) -> None:
    assert post(client, CREATE, company_name="Acme").status_code == 422
    assert post(client, ASSESS, company_name="Acme", role_name="Baker").status_code == 422
    assert post(client, LINK, company_role_id=set_up(client)).status_code == 422


def test_calls_are_counted_per_company_and_role_also_where_only_the_id_is_sent(
    client: httpx.Client, state: StandinState
) -> None:
    set_up(client)
    set_up(client, role="Cook")
    set_up(client, role="Cook")
    assert state.counts(LINK) == {("Acme", "Baker"): 1, ("Acme", "Cook"): 2}
    assert state.count(CREATE, "Acme") == 3
    assert state.count(CREATE, "Other") == 0


def test_a_token_is_asked_for_where_there_is_one_but_not_by_health() -> None:
    state = StandinState(token="t")
    with serving(create_standin(state)) as url, httpx.Client(base_url=url) as client:
        assert client.get("/health").json() == {"status": "healthy"}
        assert post(client, CREATE, company_name="A", role_name="R").status_code == 401
        client.headers["Authorization"] = "Bearer t"
        assert post(client, CREATE, company_name="A", role_name="R").status_code == 200


def test_it_fails_the_first_calls_and_then_works(client: httpx.Client, state: StandinState) -> None:
    role_id = set_up(client)
    state.fail(ASSESS, Fault(status=503, headers={"Retry-After": "7"}), times=2)
    first, second, third = (assess(client, role_id) for _ in range(3))
    assert [r.status_code for r in (first, second, third)] == [503, 503, 200]
    assert first.headers["retry-after"] == "7"
    assert state.count(ASSESS) == 3


def test_faults_are_used_in_their_order_and_for_whom_they_are(
    client: httpx.Client, state: StandinState
) -> None:
    baker, cook = set_up(client), set_up(client, role="Cook")
    state.fail(ASSESS, Fault(status=500), company="Acme", role="Cook")
    state.fail(ASSESS, Fault(error="model overloaded"), role="Cook")
    assert assess(client, baker).json()["status"] == "success"
    assert assess(client, cook, "Cook").status_code == 500
    assert assess(client, cook, "Cook").json() == {"status": "error", "message": "model overloaded"}
    assert assess(client, cook, "Cook").json()["status"] == "success"


def test_a_fault_without_end_lasts_until_healed(client: httpx.Client, state: StandinState) -> None:
    state.fail(HEALTH, Fault(status=500), times=None)
    assert [client.get("/health").status_code for _ in range(3)] == [500] * 3
    state.heal(HEALTH)
    assert client.get("/health").status_code == 200


def test_garbage_and_changed_answers_come_with_200(
    client: httpx.Client, state: StandinState
) -> None:
    role_id = set_up(client)
    state.fail(ASSESS, Fault(garbage=b'{"status": "succ'))
    state.fail(ASSESS, Fault(override={"ai_automation_score": 170}))
    state.fail(ASSESS, Fault(override={"ai_automation_score": None}))
    garbage = assess(client, role_id)
    assert garbage.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        garbage.json()
    assert assess(client, role_id).json()["ai_automation_score"] == 170
    assert "ai_automation_score" not in assess(client, role_id).json()
    assert 0 < assess(client, role_id).json()["ai_automation_score"] < 100


def test_a_reset_cuts_the_connection_before_any_work(
    client: httpx.Client, state: StandinState
) -> None:
    role_id = set_up(client)
    state.fail(ASSESS, Fault(reset=True))
    with pytest.raises(httpx.TransportError):
        assess(client, role_id)
    assert state.cache == {}
    assert state.count(ASSESS) == 1
    assert assess(client, role_id).status_code == 200


def test_a_lost_answer_was_worked_out_and_is_in_the_cache(
    client: httpx.Client, state: StandinState
) -> None:
    """The case in which repeating with `delete_existing` would be paid twice."""
    role_id = set_up(client)
    state.fail(ASSESS, Fault(lose_answer=True))
    with pytest.raises(httpx.TransportError):
        assess(client, role_id)
    lost = state.cache["Acme", "Baker"]
    assert assess(client, role_id).json() == lost


async def test_held_calls_wait_together_and_are_counted(state: StandinState) -> None:
    gate = threading.Event()
    state.fail(ASSESS, Fault(hold=gate), times=None)
    with serving(create_standin(state)) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            calls = [
                asyncio.ensure_future(client.post(f"{PATH}/{ASSESS}", json={})) for _ in range(20)
            ]
            while state.in_flight < 20:
                await asyncio.sleep(0.005)
            assert not any(call.done() for call in calls)
            gate.set()
            assert {r.status_code for r in await asyncio.gather(*calls)} == {422}
    assert (state.in_flight, state.most_in_flight) == (0, 20)


def test_leaving_the_server_ends_a_call_that_is_still_held(state: StandinState) -> None:
    """Else a failing test would hang instead of failing."""
    state.fail(ASSESS, Fault(hold=threading.Event()))

    def call(url: str) -> None:
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"{url}{PATH}/{ASSESS}", json={}, timeout=60)

    with serving(create_standin(state)) as url:
        thread = threading.Thread(target=call, args=(url,))
        thread.start()
        while state.in_flight == 0:
            threading.Event().wait(0.005)
    thread.join(30)
    assert not thread.is_alive()
    assert state.in_flight == 0


async def test_in_process_a_cut_connection_is_an_error_of_the_call(state: StandinState) -> None:
    state.fail(HEALTH, Fault(reset=True))
    transport = httpx.ASGITransport(create_standin(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://standin") as client:
        with pytest.raises(ConnectionResetError):
            await client.get("/health")
        assert (await client.get("/health")).status_code == 200
