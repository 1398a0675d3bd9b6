"""The page of the REST routes."""

from __future__ import annotations

import json
from pathlib import Path

from bs4 import BeautifulSoup

from etter_dagster.web.reference import routes_of, shapes_of
from etter_dagster_tests.rest import Rest

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())


async def shown(rest: Rest) -> BeautifulSoup:
    answer = await rest.http.get("http://test/docs")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


async def test_every_route_and_shape_is_on_the_page(rest: Rest) -> None:
    soup = await shown(rest)
    listed = {summary.get_text(" ", strip=True) for summary in soup.select("summary")}
    for route in routes_of(DOCUMENT):
        assert any(line.startswith(f"{route.method} {route.path} ") for line in listed), route.path
    assert {heading["id"] for heading in soup.select(".shape h3")} == {
        shape.name for shape in shapes_of(DOCUMENT)
    }


async def test_its_links_lead_somewhere_and_nothing_is_run_or_fetched(rest: Rest) -> None:
    """FastAPI's own pages load scripts from another host, which closed networks do not reach."""
    soup = await shown(rest)
    anchors = {str(tag["id"]) for tag in soup.select("[id]")}
    links = [str(link["href"]) for link in soup.select("main a")]
    assert len([link for link in links if link.startswith("#")]) > 50
    assert [link for link in links if link[0] == "#" and link[1:] not in anchors] == []
    assert soup.find_all(["script", "img", "iframe"]) == []


def test_a_route_says_its_parameters_bodies_and_answers() -> None:
    push = next(route for route in routes_of(DOCUMENT) if route.path.endswith("/push"))
    assert [value.name for value in push.values if value.place == "query"] == ["use_mock"]
    assert push.bodies == [("application/json", '<a href="#PushBody">PushBody</a>')]
    answers = {status: str(type) for status, _, type in push.answers}
    assert answers["200"] == '<a href="#Accepted">Accepted</a>'
    assert "409" in answers
    body = next(shape for shape in shapes_of(DOCUMENT) if shape.name == "PushBody")
    required = {value.name for value in body.fields if value.required}
    assert required == {"company_id", "role_name"}
