"""A role's documents, and its assessments compared."""

from __future__ import annotations

from etter_dagster.model.identity import role_id
from etter_dagster_tests.rest import Rest, error, push_body
from etter_dagster_tests.support import JD

ANALYST = role_id("Acme", "Analyst")


async def test_documents_are_given_as_linked_and_under_the_headings_of_a_jd(rest: Rest) -> None:
    """What is assessed is the original: its hash stays the one that staleness compares."""
    raw = "Duties:\n- Prepare the payroll\n\nRequirements:\n- A degree\n"
    await rest.push(documents=[{"type": "job_description", "content": raw, "name": "a.txt"}])
    await rest.work()
    (jd,) = (await rest.http.get(f"/documents/{ANALYST}")).json()["documents"]
    assert jd["content"] == raw
    assert jd["formatted"] == (
        "# Analyst\n\n## Key Responsibilities\n\n- Prepare the payroll\n\n"
        "## Requirements\n\n### Education\n\n- A degree\n"
    )
    assert rest.assessor.requests[0].text == raw
    answer = await rest.http.post("/push", json=push_body(documents=[{**DOCUMENT, "content": raw}]))
    assert answer.json()["status"] == "ready"


DOCUMENT = {"type": "job_description", "content": JD}


async def test_other_documents_are_not_formatted(rest: Rest) -> None:
    await rest.push(documents=[{"type": "sop", "content": "1. Do it"}])
    await rest.work()
    (sop,) = (await rest.http.get(f"/documents/{ANALYST}")).json()["documents"]
    assert sop["formatted"] is None


async def test_a_jd_that_is_none_has_a_warning(rest: Rest) -> None:
    """It is seen before anybody pushes the role."""
    menu = "LUNCH MENU\nStarters\nSoup 6.50\nMains\nFish and chips 14.50\nDesserts\nCake 5.00\n"
    put = {"documents": [{**DOCUMENT, "content": menu}]}
    await rest.http.put("/roles/Acme/Analyst", json=put)
    (found,) = (await rest.http.get(f"/documents/{ANALYST}")).json()["documents"]
    assert "looks like a menu" in found["warning"]
    await rest.http.put("/roles/Acme/Analyst", json={"documents": [DOCUMENT]})
    (found,) = (await rest.http.get(f"/documents/{ANALYST}")).json()["documents"]
    assert found["warning"] is None


async def test_two_assessments_are_compared(rest: Rest) -> None:
    await rest.ready()
    error(await rest.http.get(f"/assessments/{ANALYST}/compare"), 404, "NOT_FOUND")
    rest.assessor.score = 55.0
    await rest.push(documents=[{**DOCUMENT, "content": JD + "- Typing\n"}])
    await rest.work()
    found = (await rest.http.get(f"/assessments/{ANALYST}/compare")).json()
    assert [cause["field"] for cause in found["causes"]] == ["jd_hash"]
    assert found["scores"][0] == {
        "name": "final_score",
        "before": 40.0,
        "after": 55.0,
        "change": 15.0,
    }
    assert found["tasks"]["changed"][0]["changed"] == ["score"]
    ids = {"from": found["after"]["assessment_id"], "to": found["before"]["assessment_id"]}
    back = (await rest.http.get(f"/assessments/{ANALYST}/compare", params=ids)).json()
    assert back["scores"][0]["change"] == -15.0


async def test_an_assessment_of_another_role_is_not_compared(rest: Rest) -> None:
    """Ids of other roles, also of the same company, look like unknown ones."""
    await rest.ready()
    await rest.ready("Clerk")
    other = (await rest.http.get(f"/assessments/{role_id('Acme', 'Clerk')}")).json()
    params = {"from": other["assessment_id"]}
    error(await rest.http.get(f"/assessments/{ANALYST}/compare", params=params), 404, "NOT_FOUND")


async def test_what_changed_since_the_last_one_is_told_to_dagster(rest: Rest) -> None:
    await rest.ready()
    rest.assessor.score = 55.0
    await rest.push(options={"force_rerun": True})
    await rest.work()
    first, second = (m.metadata for m in rest.recorder.made if m.asset == "ai_assessment")
    assert "changed_since_last_md" not in first
    assert "from 40.0 to 55.0 (+15.0)" in second["changed_since_last_md"]
    assert second["changed_tasks"] == [
        {"change": "scored otherwise", "task": "Prepare reports", "before": "40.0", "now": "55.0"}
    ]


async def test_an_unknown_role_has_neither(rest: Rest) -> None:
    for path in ("/documents/cr-a-b-000000000000", "/assessments/cr-a-b-000000000000/compare"):
        error(await rest.http.get(path), 404, "NOT_FOUND")
