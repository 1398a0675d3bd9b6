"""Roles out of the platform's taxonomy API."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.sources import RoleTaxonomyProvider
from etter_dagster.sources.companies import CompaniesFile
from etter_dagster_tests.sources.conftest import Served
from etter_dagster_tests.sources.platform import (
    FAILURES,
    companies_file,
    seconds_for,
    taxonomy_api,
)
from etter_dagster_tests.standin.catalogue import TAXONOMY
from etter_dagster_tests.standin.state import Fault

ACME = {"name": "Acme", "taxonomy_company_id": 7}


def fill(platform: Served, count: int, company: int = 7) -> None:
    for number in range(count):
        platform.state.put_role(company, f"job-{number}", f"Role {number:03}")


def test_all_pages_are_read(platform: Served, tmp_path: Path) -> None:
    fill(platform, 401)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    assert isinstance(taxonomy, RoleTaxonomyProvider)
    assert taxonomy.get_companies() == ["Acme"]
    roles = taxonomy.get_roles_for_company(" Acme ")
    assert [entry.job_title for entry in roles] == [f"Role {n:03}" for n in range(401)]
    assert platform.state.count(TAXONOMY) == 3
    assert {call.body["page_size"] for call in platform.state.calls} == {"200"}


def test_what_the_taxonomy_says_of_a_role_is_kept(platform: Served, tmp_path: Path) -> None:
    platform.state.put_role(
        7, "j-1", "Analyst", job_role="Senior Analyst", general_summary="Analyses.", extra=[1]
    )
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    (entry,) = taxonomy.get_roles_for_company("Acme")
    assert entry.model_dump() == {
        "job_id": "j-1",
        "company_name": "Acme",
        "job_title": "Analyst",
        "job_role": "Senior Analyst",
        "draup_role": "Draup Analyst",
        "draup_role_id": None,
        "occupation": "Analysts",
        "job_family": "Office",
        "skills": ("Reporting",),
        "general_summary": "Analyses.",
        "status": "active",
    }


def test_approved_roles_are_active_and_others_say_what_they_are(
    platform: Served, tmp_path: Path
) -> None:
    """Only active roles are pushed by themselves; one in review must not look removed."""
    for job, status in (("a", "Approved"), ("b", "pending"), ("c", None)):
        platform.state.put_role(7, job, job, approval_status=status)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    found = {entry.job_title: entry.status for entry in taxonomy.get_roles_for_company("Acme")}
    assert found == {"a": "active", "b": "pending", "c": "active"}
    assert [e.job_title for e in taxonomy.get_roles_for_company("Acme", "active")] == ["a", "c"]


def test_what_no_store_takes_is_mended_and_a_blank_draup_role_is_none(
    platform: Served, tmp_path: Path
) -> None:
    """Half a character in one role's summary kept its whole company from being recorded."""
    half = "half \ud83d"
    texts = dict.fromkeys(["job_role", "general_summary", "occupation"], half)
    rows = [
        {"job_id": "1", "job_title": "Analyst", "skills": [half], **texts},
        {"job_id": "2", "job_title": "Clerk", "draup_role": "  ", "draup_role_id": ""},
        {"job_id": "3", "job_title": half},
    ]
    page = {"data": rows, "total_count": 3, "page": 1, "total_pages": 1}
    platform.state.fail(TAXONOMY, Fault(garbage=json.dumps(page).encode()))
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    analyst, clerk = taxonomy.get_roles_for_company("Acme")
    assert analyst.model_dump_json()
    mended = (analyst.job_role, analyst.general_summary, analyst.occupation, *analyst.skills)
    assert mended == ("half ?",) * 4
    assert (clerk.draup_role, clerk.draup_role_id) == (None, None)


def test_names_are_compared_exactly_on_this_side(platform: Served, tmp_path: Path) -> None:
    """The API's own filters match parts: `Analyst` would find `Senior Analyst` too."""
    for job, title in (("1", "Senior Analyst"), ("2", " Café Owner "), ("3", "analyst")):
        platform.state.put_role(7, job, unicodedata.normalize("NFD", title))
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    assert taxonomy.get_role("Acme", "Analyst") is None
    assert taxonomy.get_role("acme", "analyst") is None
    owner = taxonomy.get_role("Acme", "Café Owner")
    assert owner is not None
    assert owner.job_id == "2"


def test_a_company_that_the_file_does_not_name_has_no_roles(
    platform: Served, tmp_path: Path
) -> None:
    fill(platform, 1)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    assert taxonomy.get_roles_for_company("Globex") == []
    assert taxonomy.get_role("Globex", "Role 000") is None
    assert platform.state.count(TAXONOMY) == 0


def test_without_a_file_the_taxonomy_says_what_it_needs(platform: Served) -> None:
    """An empty list would mark all roles removed."""
    taxonomy = taxonomy_api(platform.url, CompaniesFile(None))
    for ask in (taxonomy.get_companies, lambda: taxonomy.get_role("Acme", "R")):
        with pytest.raises(SourceUnavailable, match="set ETTER_COMPANIES_FILE"):
            ask()


def test_a_companys_own_token_wins(platform: Served, tmp_path: Path) -> None:
    platform.state.token = "general"
    platform.state.own_tokens[8] = "own"
    fill(platform, 1)
    fill(platform, 1, company=8)
    globex = {"name": "Globex", "taxonomy_company_id": 8, "taxonomy_token": "own"}
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME, globex), "general")
    assert len(taxonomy.get_roles_for_company("Acme")) == 1
    assert len(taxonomy.get_roles_for_company("Globex")) == 1
    sent = [call.authorization for call in platform.state.calls]
    assert sent == ["Bearer general", "Bearer own"]


def test_a_refused_token_is_named_and_never_shown(platform: Served, tmp_path: Path) -> None:
    platform.state.token = "right"
    own = {**ACME, "taxonomy_token": "wrong-and-secret"}
    for token, company, whose in (
        (None, own, "taxonomy_token of Acme in ETTER_COMPANIES_FILE"),
        ("wrong-and-secret", ACME, "ETTER_TAXONOMY_API_TOKEN"),
    ):
        companies = companies_file(tmp_path, company)
        with pytest.raises(SourceUnavailable, match=whose) as caught:
            taxonomy_api(platform.url, companies, token).get_roles_for_company("Acme")
        assert "wrong-and-secret" not in caught.value.message
        assert platform.url not in caught.value.message


@pytest.mark.parametrize("page", ["first", "second"])
@pytest.mark.parametrize(
    ("fault", "reason", "retry_after"),
    [failure[1:] for failure in FAILURES],
    ids=[failure[0] for failure in FAILURES],
)
def test_every_failure_is_an_outage_with_its_reason(
    platform: Served, tmp_path: Path, page: str, fault: Fault, reason: str, retry_after: int
) -> None:
    """Half of the pages must never pass for the whole: the rest would be marked removed."""
    fill(platform, 201)
    if page == "second":
        platform.state.fail(TAXONOMY, Fault(), times=1)
    platform.state.fail(TAXONOMY, fault, times=None)
    companies = companies_file(tmp_path, ACME)
    taxonomy = taxonomy_api(platform.url, companies, seconds=seconds_for(fault))
    with pytest.raises(SourceUnavailable) as caught:
        taxonomy.get_roles_for_company("Acme")
    assert reason in caught.value.message
    assert caught.value.retry_after == retry_after
    assert "127.0.0.1" not in caught.value.message
    with pytest.raises(SourceUnavailable):
        taxonomy.get_role("Acme", "Role 000")
    platform.state.heal()
    taxonomy = taxonomy_api(platform.url, companies)
    assert len(taxonomy.get_roles_for_company("Acme")) == 201, "it catches up by itself"


def test_a_service_that_is_down_is_an_outage(tmp_path: Path) -> None:
    taxonomy = taxonomy_api("http://127.0.0.1:9", companies_file(tmp_path, ACME))
    with pytest.raises(SourceUnavailable, match=r"cannot be reached \(ConnectError\)"):
        taxonomy.get_roles_for_company("Acme")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {**body, "data": body["data"][: len(body["data"]) // 2]},
        lambda body: {**body, "page": 5},
        lambda body: {key: value for key, value in body.items() if key != "total_count"},
        lambda body: {**body, "data": [*body["data"], "no role"]},
        lambda body: {**body, "data": [{**body["data"][0], "job_id": None}]},
        lambda body: {**body, "total_pages": 10**9},
    ],
    ids=["half", "other page", "no count", "no object", "no id", "endless"],
)
def test_a_page_that_cannot_be_the_whole_is_refused(
    platform: Served, tmp_path: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    fill(platform, 10)
    platform.state.fail(TAXONOMY, Fault(change=change), times=None)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        taxonomy.get_roles_for_company("Acme")


def test_a_list_that_changes_while_it_is_read_is_read_again(
    platform: Served, tmp_path: Path
) -> None:
    fill(platform, 401)

    def meanwhile(body: dict[str, Any]) -> dict[str, Any]:
        platform.state.remove_role(7, "job-0")  # all pages behind move up by one
        return body

    platform.state.fail(TAXONOMY, Fault(change=meanwhile), times=1)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    assert len({entry.job_id for entry in taxonomy.get_roles_for_company("Acme")}) == 400
    assert platform.state.count(TAXONOMY) > 3


def test_a_role_listed_twice_means_that_another_was_missed(
    platform: Served, tmp_path: Path
) -> None:
    """One role came in front and one behind went: the count is the same, the pages moved."""
    fill(platform, 10)

    def moved(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "data": [*body["data"][:-1], body["data"][0]]}

    platform.state.fail(TAXONOMY, Fault(change=moved), times=1)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    assert len({entry.job_id for entry in taxonomy.get_roles_for_company("Acme")}) == 10


def test_a_push_finds_the_entry_that_the_sensor_chose_of_two(
    platform: Served, tmp_path: Path
) -> None:
    """Approved before others, then by job id; not whichever is listed first."""
    platform.state.put_role(7, "2", "Analyst", approval_status="pending")
    platform.state.put_role(7, "9", "Analyst")
    platform.state.put_role(7, "5", "Analyst")
    found = taxonomy_api(platform.url, companies_file(tmp_path, ACME)).get_role("Acme", "Analyst")
    assert found is not None
    assert found.job_id == "5"


def test_a_role_without_a_usable_name_hides_no_other(
    platform: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    platform.state.put_role(7, "1", "Good")
    platform.state.put_role(7, "2", "x" * 201)
    platform.state.put_role(7, "3", "", job_title=None, job_role="Named by its role")
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME))
    titles = [entry.job_title for entry in taxonomy.get_roles_for_company("Acme")]
    assert titles == ["Good", "Named by its role"]
    assert "job 2" in caplog.text


def test_many_pushes_at_once_read_the_list_once(platform: Served, tmp_path: Path) -> None:
    """500 single pushes of new roles are not 500 x 13 pages."""
    fill(platform, 300)
    now = [0.0]
    companies = companies_file(tmp_path, ACME)
    taxonomy = taxonomy_api(platform.url, companies, clock=lambda: now[0])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: taxonomy.get_role("Acme", f"Role {n:03}"), range(100)))
    assert all(found)
    assert platform.state.count(TAXONOMY) == 2
    platform.state.put_role(7, "new", "New")
    now[0] += 6
    assert taxonomy.get_role("Acme", "New") is not None


def test_a_redirect_on_the_same_host_is_followed_with_the_token(
    platform: Served, tmp_path: Path
) -> None:
    fill(platform, 1)
    platform.state.token = "general"
    moved = Fault(status=307, headers={"Location": "?company_id=7&page=1&page_size=200"})
    platform.state.fail(TAXONOMY, moved)
    taxonomy = taxonomy_api(platform.url, companies_file(tmp_path, ACME), "general")
    assert len(taxonomy.get_roles_for_company("Acme")) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ('{"name": "Acme"}', "must be a list"),
        ('[{"name": "Acme"}]', "entry 1 taxonomy_company_id: Field required"),
        ('[{"name": " ", "taxonomy_company_id": 1}]', "entry 1 name: is blank"),
        ('[{"name": "A", "taxonomy_company_id": "x"}]', "entry 1 taxonomy_company_id: "),
        (
            '[{"name": "A", "taxonomy_company_id": 1, "token": "secret"}]',
            "entry 1 token: Extra inputs are not permitted",
        ),
        (
            '[{"name": "A", "taxonomy_company_id": 1, "taxonomy_token": "sec ret"}]',
            "entry 1 taxonomy_token: is blank, or holds",
        ),
        (
            '[{"name": "A", "taxonomy_company_id": 1}, {"name": "A ", "taxonomy_company_id": 2}]',
            "names A more than once",
        ),
    ],
)
def test_a_wrong_companies_file_says_where_and_shows_no_token(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "companies.json"
    path.write_text(content)
    with pytest.raises(SourceUnavailable) as caught:
        CompaniesFile(path).companies()
    assert caught.value.message.startswith("ETTER_COMPANIES_FILE ")
    assert reason in caught.value.message
    assert "secret" not in caught.value.message
    assert "sec ret" not in caught.value.message


def test_the_companies_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    companies = companies_file(tmp_path, ACME)
    assert list(companies.companies()) == ["Acme"]
    companies_file(tmp_path, ACME, {"name": "Globex", "taxonomy_company_id": 8})
    assert list(companies.companies()) == ["Acme", "Globex"]
    (tmp_path / "companies.json").unlink()
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        companies.companies()
