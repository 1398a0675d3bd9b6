from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest
from bs4 import BeautifulSoup, Tag

from etter_dagster.assessors.protocol import AssessmentFailed, AssessmentRequest
from etter_dagster.model.assessment import AssessedTask, AssessmentOutputs, Scores
from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, push_body, rest_of

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{1234*1000}}"


async def page(rest: Rest, url: str, status: int = 200) -> BeautifulSoup:
    answer = await rest.http.get(urljoin("http://test", url))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return BeautifulSoup(answer.text, "html.parser")


def text(soup: Tag) -> str:
    return " ".join(soup.get_text(" ").split())


async def test_the_dashboard_url_of_a_push_shows_the_role(rest: Rest) -> None:
    """What a user is promised at the end of a push: state, scores, tasks."""
    status = await rest.ready()
    answer = await rest.http.get(status["dashboard_url"])
    assert answer.status_code == 200
    soup = BeautifulSoup(answer.text, "html.parser")
    assert soup.h1 is not None
    assert soup.h1.get_text(" ").split() == ["Analyst", "ready"]
    scores = {
        str(box.dt.get_text()): str(box.dd.get_text())
        for box in soup.select("dl.scores > div")
        if box.dt and box.dd
    }
    assert scores == {
        "AI automation score": "40.0",
        "Automation potential": "20.0",
        "Augmentation potential": "20.0",
    }
    row = soup.select("table tbody tr")[0]
    assert [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] == [
        "Prepare reports",
        "E1",
        "40.0",
        "–",
    ]
    assert "Draup role: Data Analyst" in text(soup)
    assert status["workflow_id"] in text(soup)


async def test_companies_lead_to_roles_and_roles_to_their_page(rest: Rest) -> None:
    """Every link on the way works, from the root on."""
    await rest.ready("Analyst / Senior", company='R&D "50%" ?#')
    start = await rest.http.get("http://test/")
    assert start.headers["location"] == "/dashboard"
    soup = await page(rest, "/dashboard")
    assert "1 role" in text(soup)
    company = soup.select_one("main a")
    assert company is not None
    soup = await page(rest, str(company["href"]))
    role = soup.select_one("tbody a")
    assert role is not None
    assert role.get_text() == "Analyst / Senior"
    soup = await page(rest, str(role["href"]))
    back = soup.select("nav a")[-1]
    assert 'R&D "50%" ?#' in text(await page(rest, str(back["href"])))


async def test_companies_stand_as_people_sort_them(rest: Rest) -> None:
    """One that is written small is looked for among its neighbours, not after Z."""
    for company in ("Zeta", "acme", "Bolt"):
        await rest.push("Clerk", company=company)
    soup = await page(rest, "/dashboard")
    assert [link.get_text() for link in soup.select(".cards a")] == ["acme", "Bolt", "Zeta"]


async def test_hostile_text_is_shown_and_never_run(rest: Rest) -> None:
    """Names, documents, tasks, summaries and errors come from outside."""

    async def assess(request: AssessmentRequest) -> AssessmentOutputs:
        return AssessmentOutputs(
            scores=Scores(
                ai_automation_score=1.0,
                ai_automation_potential_score=1.0,
                ai_augmentation_potential_score=0.0,
            ),
            tasks=(
                AssessedTask(
                    task=HOSTILE,
                    workload=HOSTILE,
                    category=HOSTILE,
                    exposure=None,
                    score=1.0,
                    evidence=(HOSTILE,),
                ),
            ),
            summary=HOSTILE,
        )

    services = await rest.services()
    services.assessors.configured.assess = assess  # type: ignore[method-assign]
    document = {"type": "sop", "name": HOSTILE, "content": f"- {HOSTILE}\n- Do it </pre>{HOSTILE}"}
    await rest.push(
        HOSTILE, HOSTILE, documents=[document], draup_role_name=HOSTILE, created_by=HOSTILE
    )
    await rest.work()
    listed = (await rest.http.get(f"/roles/{quote(HOSTILE, safe='')}")).json()["roles"][0]
    url = f"/dashboard/{quote(HOSTILE, safe='')}/roles/{listed['role_id']}"
    for soup in (
        await page(rest, url),
        await page(rest, f"/dashboard/{quote(HOSTILE, safe='')}"),
        await page(rest, "/dashboard"),
    ):
        assert soup.find_all(["script", "img"]) == []
        assert HOSTILE in soup.get_text()
        assert "1234000" not in soup.get_text()
    soup = await page(rest, url)
    assert soup.get_text().count(HOSTILE) >= 10


async def test_a_failed_push_shows_its_reason(rest: Rest) -> None:
    """The page stays useful: what failed, why, and what is linked already."""
    rest.assessor.script = [AssessmentFailed(HOSTILE)]
    workflow_id = await rest.push()
    await rest.work()
    role_id = (await rest.http.get(f"/status/{workflow_id}")).json()["role_id"]
    soup = await page(rest, f"/dashboard/Acme/roles/{role_id}")
    shown = text(soup)
    assert "failed" in shown
    assert "This role has no assessment yet." in shown
    assert HOSTILE in soup.get_text()
    trouble = soup.select_one("#trouble + p")
    assert trouble is not None
    assert HOSTILE in trouble.get_text()
    assert f"etter retry {workflow_id}" in shown
    assert soup.find_all("script") == []


async def test_a_role_that_was_never_pushed_says_how_to_push_it(rest: Rest) -> None:
    """Ready for a shell, whatever the names hold."""
    put = await rest.http.put("/roles/Acme/Head%20of%20R%26D", json={})
    shown = text(await page(rest, f"/dashboard/Acme/roles/{put.json()['role_id']}"))
    assert "Push it: etter push Acme 'Head of R&D'" in shown


async def test_a_jd_is_shown_under_the_usual_headings_beside_the_original(rest: Rest) -> None:
    raw = "Duties:\n* Prepare the payroll <b>\n"
    await rest.push(documents=[{"type": "job_description", "content": raw}])
    await rest.work()
    role_id = (await rest.http.get("/roles/Acme")).json()["roles"][0]["role_id"]
    soup = await page(rest, f"/dashboard/Acme/roles/{role_id}")
    formatted, original = (found.get_text() for found in soup.find_all("pre"))
    assert "## Key Responsibilities\n\n- Prepare the payroll" in formatted
    assert original == raw


async def test_what_changed_since_the_assessment_before_is_shown(rest: Rest) -> None:
    """Whoever looks at a new score asks first why it is another one."""
    status = await rest.ready()
    url = f"/dashboard/Acme/roles/{status['role_id']}"
    assert "Since the assessment before" not in text(await page(rest, url))
    rest.assessor.score = 55.0
    await rest.push(options={"force_rerun": True})
    await rest.work()
    shown = text(await page(rest, url))
    assert "Score from 40.0 to 55.0 (+15.0)" in shown
    assert "scored otherwise" in shown


async def test_a_stale_role_says_why_and_what_helps(rest: Rest) -> None:
    """A changed JD is the commonest reason; the score is still there."""
    await rest.ready()
    put = {"documents": [{"type": "job_description", "content": "# Analyst\n\n- Write code"}]}
    await rest.http.put("/roles/Acme/Analyst", json=put)
    role_id = (await rest.http.get("/roles/Acme")).json()["roles"][0]["role_id"]
    shown = text(await page(rest, f"/dashboard/Acme/roles/{role_id}"))
    assert "stale" in shown
    assert "Out of date the job description changed" in shown
    assert "40.0" in shown


async def test_a_validated_score_is_the_one_shown(rest: Rest) -> None:
    """0.0 is a score too, and the score before it stays visible."""

    async def assess(request: AssessmentRequest) -> AssessmentOutputs:
        return AssessmentOutputs(
            scores=Scores(
                ai_automation_score=41.5,
                ai_automation_potential_score=21.5,
                ai_augmentation_potential_score=20.0,
                validated_ai_automation_score=0.0,
            ),
        )

    services = await rest.services()
    services.assessors.configured.assess = assess  # type: ignore[method-assign]
    status = await rest.ready()
    shown = text(await page(rest, status["dashboard_url"]))
    assert "AI automation score 0.0" in shown
    assert "Before validation 41.5" in shown
    assert "This assessment names no tasks." in shown


@pytest.mark.parametrize(
    "url",
    [
        "/dashboard/Nobody",
        "/dashboard/Acme/roles/cr-acme-analyst-000000000000",
        "/dashboard/Acme/roles/%00",
        "/dashboard/%FF",
        "/dashboard/<script>alert(1)</script>",
        "/dashboard/" + "x" * 3000,
    ],
)
async def test_what_is_not_known_is_a_page_with_a_way_back(rest: Rest, url: str) -> None:
    """A person gets a page, not JSON."""
    await rest.push()
    soup = await page(rest, url, 404)
    assert soup.find_all("script") == []
    assert soup.select_one('main a[href="/dashboard"]') is not None


async def test_a_role_of_another_company_is_not_shown_under_this_one(rest: Rest) -> None:
    """The path's company decides who may see it."""
    status = await rest.ready()
    await rest.ready(company="Other")
    path = urlsplit(status["dashboard_url"]).path.replace("Acme", "Other")
    await page(rest, path, 404)


async def test_long_lists_are_paged(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page continues where this one ends."""
    monkeypatch.setattr("etter_dagster.web.views.ROWS", 2)
    for name in "ABC":
        await rest.push(name)
    soup = await page(rest, "/dashboard/Acme")
    following = soup.select_one('a[rel="next"]')
    assert following is not None
    assert "3 roles" in text(soup)
    soup = await page(rest, urljoin("/dashboard/Acme", str(following["href"])))
    assert [link.get_text() for link in soup.select("tbody a")] == ["C"]
    assert soup.select_one('a[rel="next"]') is None
    await page(rest, "/dashboard/Acme?cursor=%00", 400)


async def test_roles_are_found_by_name_draup_role_and_state(rest: Rest) -> None:
    """Nobody pages through thousands of roles to find one."""
    await rest.ready("Registered Nurse")
    await rest.push("Clerk")
    await rest.push("Nursery Worker")

    async def found(query: str) -> list[str]:
        soup = await page(rest, f"/dashboard/Acme?{query}")
        return [link.get_text() for link in soup.select("tbody a")]

    assert await found("q=nurse") == ["Nursery Worker", "Registered Nurse"]
    assert await found("q=%20NURSE%20&state=ready") == ["Registered Nurse"]
    assert await found("q=data+analyst") == ["Registered Nurse"]
    assert await found("state=queued") == ["Clerk", "Nursery Worker"]
    assert await found("q=welder") == []
    await page(rest, "/dashboard/Acme?state=bogus", 400)
    soup = await page(rest, "/dashboard/Acme?q=nurse&state=ready")
    assert "1 of 3 roles" in text(soup)
    soup = await page(rest, "/dashboard/Acme")
    counted = soup.select_one("p[role=status]")
    assert counted is not None
    assert counted.get_text() == "3 roles: 2 queued, 1 ready"
    assert soup.select_one('a[href="?state=queued"]') is not None
    soup = await page(rest, "/dashboard/Acme?q=nurse&state=ready")
    chosen = soup.select_one("option[selected]")
    assert chosen is not None
    assert chosen.get_text() == "ready (1)"
    typed = soup.select_one("input[name=q]")
    assert typed is not None
    assert typed["value"] == "nurse"


async def test_the_next_page_of_a_search_is_of_that_search(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etter_dagster.web.views.ROWS", 1)
    for name in ("A & B nurse", "C clerk", "D nurse"):
        await rest.push(name)
    soup = await page(rest, "/dashboard/Acme?q=NURSE&state=queued")
    following = soup.select_one('a[rel="next"]')
    assert following is not None
    soup = await page(rest, urljoin("/dashboard/Acme", str(following["href"])))
    assert [link.get_text() for link in soup.select("tbody a")] == ["D nurse"]
    assert soup.select_one('a[rel="next"]') is None
    first = soup.select_one('a[rel="first"]')
    assert first is not None
    soup = await page(rest, urljoin("/dashboard/Acme", str(first["href"])))
    assert [link.get_text() for link in soup.select("tbody a")] == ["A & B nurse"]


async def test_what_waits_says_its_place(rest: Rest) -> None:
    """In the list and on the role's own page."""
    await rest.push("First")
    await rest.push("Second")
    assert "queued place 2" in text(await page(rest, "/dashboard/Acme"))
    shown = text(await page(rest, f"/dashboard/Acme/roles/{role_id('Acme', 'Second')}"))
    assert "In the queue Place 2, about" in shown
    assert "role setup: pending" in shown


async def test_a_refused_push_says_on_the_role_what_it_lacks(rest: Rest) -> None:
    """A role in `validation_error` had a page that said nothing else."""
    role_id = (await rest.http.put("/roles/Acme/Analyst", json={})).json()["role_id"]
    await rest.http.post("/push", json={"company_id": "Acme", "role_name": "Analyst"})
    shown = text(await page(rest, f"/dashboard/Acme/roles/{role_id}"))
    assert "validation error" in shown
    assert "Not ready documents: give at least one document" in shown


async def test_states_are_offered_with_their_numbers(rest: Rest) -> None:
    """Those that no role is in are left out."""
    await rest.ready("Ready")
    await rest.ready("Stale")
    put = {"documents": [{"type": "job_description", "content": "# Other\n\n- Write code"}]}
    await rest.http.put("/roles/Acme/Stale", json=put)
    await rest.ready("Again")
    await rest.push("Again", options={"force_rerun": True})
    await rest.push("New")
    soup = await page(rest, "/dashboard/Acme")
    options = [option.get_text() for option in soup.select("option")]
    assert options == ["all", "queued (2)", "ready (1)", "stale (1)"]


async def test_pages_may_run_nothing_and_are_framed_by_nobody(rest: Rest) -> None:
    """The second line of defence behind escaping."""
    answer = await rest.http.get("http://test/dashboard")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    style = await rest.http.get("http://test/dashboard/static/etter.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "http" not in style.text


async def test_somebody_from_elsewhere_sees_no_page(settings: Settings) -> None:
    """Without keys only this machine may look."""
    async with rest_of(settings, client="203.0.113.5") as rest:
        await page(rest, "/dashboard", 403)
        answer: httpx.Response = await rest.http.post("/push", json=push_body())
        assert answer.json()["detail"]["error"] == "FORBIDDEN"
        assert (await rest.http.get("/health")).status_code == 200


async def test_an_empty_service_says_what_to_do(rest: Rest) -> None:
    """The first page that a new user sees without the samples."""
    services: Services = await rest.services()
    assert await services.graph.count_roles() == 0
    assert "etter push" in text(await page(rest, "/dashboard"))


async def test_every_page_says_why_nothing_is_started(rest: Rest) -> None:
    """A person who waits for a role has no other place to find out."""
    status = await rest.ready()
    services = await rest.services()
    urls = ("/dashboard", "/dashboard/Acme", status["dashboard_url"])
    for url in urls:
        assert "Nothing is started now" not in text(await page(rest, url))
    await services.queue.hold_claims(600)
    for url in urls:
        note = (await page(rest, url)).select_one("p.note[role=status]")
        assert note is not None
        assert "claims are held by `etter drain`" in text(note)
        assert "etter drain --end" in text(note)
