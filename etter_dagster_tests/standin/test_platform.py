"""The stand-in of the platform's APIs is what the contract says of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest

from etter_dagster_tests.standin.catalogue import (
    DOCUMENTS,
    DOWNLOAD,
    TAXONOMY,
    PlatformState,
)
from etter_dagster_tests.standin.platform_api import create_platform
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import Fault

ROLES = "/api/taxonomy/roles"


@pytest.fixture
def state() -> PlatformState:
    return PlatformState()


@pytest.fixture
def http(state: PlatformState) -> Iterator[httpx.Client]:
    with serving(create_platform(state)) as url, httpx.Client(base_url=url) as client:
        yield client


def test_roles_come_in_pages_of_at_most_200(state: PlatformState, http: httpx.Client) -> None:
    for number in range(5):
        state.put_role(7, f"j{number}", f"Role {number}", approval_status=f"s{number % 2}")
    body = http.get(ROLES, params={"company_id": 7, "page": 2, "page_size": 2}).json()
    assert [row["job_id"] for row in body["data"]] == ["j2", "j3"]
    assert (body["total_count"], body["page"], body["total_pages"]) == (5, 2, 3)
    body = http.get(ROLES, params={"company_id": 7, "approval_status": "s1"}).json()
    assert body["total_count"] == 2
    assert http.get(ROLES, params={"company_id": 8}).json()["data"] == []
    assert http.get(ROLES, params={"company_id": 7, "page_size": 201}).status_code == 422
    assert http.get(ROLES).status_code == 422


def test_the_filter_of_documents_matches_parts(state: PlatformState, http: httpx.Client) -> None:
    state.put_document("d1", "Senior Analyst")
    state.put_document("d2", "Clerk", status="processing")
    body = http.get("/api/documents/", params={"roles": "analyst", "status": "ready"}).json()
    assert [one["id"] for one in body["data"]["documents"]] == ["d1"]
    assert (body["data"]["count"], body["data"]["limit"], body["data"]["offset"]) == (1, 20, 0)
    body = http.get("/api/documents/", params={"status": "ready", "roles": "clerk"}).json()
    assert body["data"]["documents"] == []


def test_a_link_gives_the_document_without_a_token(
    state: PlatformState, http: httpx.Client
) -> None:
    state.put_document("d1", "Analyst", data=b"\x00bytes")
    assert "download" not in http.get("/api/documents/d1").json()
    answer = http.get("/api/documents/d1?generate_download_url=true").json()
    assert answer["download"]["expires_in"] == 300
    assert http.get(answer["download"]["url"]).content == b"\x00bytes"
    refused = http.get(answer["download"]["url"], headers={"Authorization": "Bearer x"})
    assert refused.status_code == 400
    state.issued.clear()
    assert http.get(answer["download"]["url"]).status_code == 403
    assert http.get("/api/documents/d2").status_code == 404


def test_a_token_sees_its_own_companys_documents(state: PlatformState, http: httpx.Client) -> None:
    state.put_document("a", "Analyst", token="a")
    state.put_document("b", "Analyst", token="b")
    body = http.get("/api/documents/", headers={"Authorization": "Bearer b"}).json()
    assert [one["id"] for one in body["data"]["documents"]] == ["b"]
    assert http.get("/api/documents/", headers={"Authorization": "Bearer c"}).status_code == 401
    state.token = "general"
    assert http.get(ROLES, params={"company_id": 7}).status_code == 401


def test_faults_happen_as_scripted_and_are_counted(
    state: PlatformState, http: httpx.Client
) -> None:
    state.put_document("d1", "Analyst")
    state.fail(DOCUMENTS, Fault(status=429, headers={"Retry-After": "3"}))
    state.fail(DOCUMENTS, Fault(garbage=b"<html>"))
    state.fail(DOCUMENTS, Fault(change=lambda body: {"was": body["status"]}))
    refused = http.get("/api/documents/")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert http.get("/api/documents/").content == b"<html>"
    assert http.get("/api/documents/").json() == {"was": "success"}
    assert http.get("/api/documents/").json()["data"]["count"] == 1
    assert state.count(DOCUMENTS) == 4
    assert state.count(TAXONOMY) == 0


def test_connections_are_cut_before_and_within_an_answer(
    state: PlatformState, http: httpx.Client
) -> None:
    state.put_document("d1", "Analyst", data=b"x" * 100_000)
    state.fail(DOCUMENTS, Fault(reset=True))
    state.fail(DOCUMENTS, Fault(half=True))
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            http.get("/api/documents/")
    link = http.get("/api/documents/d1?generate_download_url=true").json()["download"]["url"]
    state.fail(DOWNLOAD, Fault(half=True))
    with pytest.raises(httpx.RemoteProtocolError, match=r"received 50000 bytes|incomplete"):
        http.get(link)


def test_an_answer_is_held_until_the_test_says_so(state: PlatformState, http: httpx.Client) -> None:
    hold = threading.Event()
    state.fail(TAXONOMY, Fault(hold=hold))
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(http.get(ROLES, params={"company_id": 7}).status_code)
    )
    asking.start()
    while state.count(TAXONOMY) == 0:
        pass
    assert answers == []
    hold.set()
    asking.join(30)
    assert answers == [200]
