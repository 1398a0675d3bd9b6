from __future__ import annotations

from urllib.parse import quote

import pytest

from etter_dagster_tests.rest import Rest, error

NAMES = ["A/B", "R&D", "50% Off", 'The "Best"', "Müller’s 保险", "a%2Fb", "x/roles/y", "/", "a?b#c", "é/"]


@pytest.mark.parametrize("name", NAMES)
async def test_hostile_names_work_in_every_path(rest: Rest, name: str) -> None:
    """Percent-encoded, also the `/` that servers decode before routing."""
    status = await rest.ready(role_name=name, company=name)
    path = quote(name, safe="")
    listed = (await rest.http.get(f"/roles/{path}")).json()
    assert [role["job_title"] for role in listed["roles"]] == [name]
    assert listed["company_name"] == name
    history = (await rest.http.get(f"/history/{path}")).json()
    assert [item["role_name"] for item in history["items"]] == [name]
    put = await rest.http.put(f"/roles/{path}/{path}", json={"draup_role_name": "Other"})
    assert put.status_code == 200, put.text
    assert put.json()["role_id"] == status["role_id"]
    assert put.json()["draup_role"] == "Other"
    page = await rest.http.get(status["dashboard_url"])
    assert page.status_code == 200, status["dashboard_url"]


async def test_a_slash_that_is_not_encoded_is_no_name(rest: Rest) -> None:
    """`/roles/A/B` is nobody's list; reading it as the company `A/B` would hide the mistake."""
    await rest.ready(company="A/B")
    error(await rest.http.get("/roles/A/B"), 404, "NOT_FOUND")
    error(await rest.http.get("/roles/"), 404, "NOT_FOUND")
