"""Pages of what is in work refresh themselves, and stop when it is settled."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.identity import role_id
from etter_dagster_tests.rest import Rest
from etter_dagster_tests.web.test_pages import page, text

ROLE = f"/dashboard/Acme/roles/{role_id('Acme', 'Analyst')}"


def seconds(soup: BeautifulSoup) -> str | None:
    """After how many seconds a page refreshes itself."""
    found = soup.select_one('meta[http-equiv="refresh"]')
    return str(found["content"]) if found else None


def linked(soup: BeautifulSoup, base: str, says: str) -> str:
    """Where a link leads."""
    (found,) = (link for link in soup.select("main a") if link.get_text() == says)
    return urljoin(urljoin("http://test", base), str(found["href"]))


async def test_the_page_of_a_role_refreshes_itself_until_the_role_is_settled(rest: Rest) -> None:
    await rest.push()
    soup = await page(rest, ROLE)
    assert seconds(soup) == "5"
    assert "This page refreshes itself every 5 s" in text(soup)
    await rest.work()
    soup = await page(rest, ROLE)
    assert seconds(soup) is None
    assert "refresh" not in text(soup)


async def test_a_list_refreshes_itself_while_any_role_of_the_company_is_in_work(rest: Rest) -> None:
    """If asked to; also where a search shows others: what it means may be about to appear."""
    await rest.ready("Clerk")
    live = "/dashboard/Acme?refresh=yes"
    assert seconds(await page(rest, live)) is None
    await rest.push()
    for query in ("", "&state=ready", "&q=clerk"):
        soup = await page(rest, f"{live}{query}")
        assert seconds(soup) == "5"
        assert "refreshes itself every 5 s" in text(soup)
    await rest.work()
    assert seconds(await page(rest, live)) is None


async def test_a_list_that_nobody_asked_to_does_not_refresh_itself(rest: Rest) -> None:
    """In a browser, what was typed into the search was gone, and the cursor with it."""
    await rest.push()
    soup = await page(rest, "/dashboard/Acme")
    assert seconds(soup) is None
    assert "let this page refresh itself" in text(soup)


@pytest.mark.parametrize("url", [ROLE, "/dashboard/Acme?q=An%26l&state=queued&refresh=yes"])
async def test_refreshing_can_be_stopped_and_begun_again(rest: Rest, url: str) -> None:
    """Whoever reads slowly, or with a screen reader, must be able to (WCAG 2.2.1)."""
    await rest.push()
    await rest.push("An&l")
    live = await page(rest, url)
    shown = [cell.get_text() for cell in live.select("tbody a")]
    stopped_at = linked(live, url, "Stop refreshing")
    stopped = await page(rest, stopped_at)
    assert seconds(stopped) is None
    assert [cell.get_text() for cell in stopped.select("tbody a")] == shown
    assert linked(stopped, stopped_at, "Refresh now") == stopped_at
    again = await page(rest, linked(stopped, stopped_at, "let this page refresh itself"))
    assert seconds(again) == seconds(live)
    assert [cell.get_text() for cell in again.select("tbody a")] == shown


async def test_a_list_that_is_watched_stays_so_from_page_to_page(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etter_dagster.web.views.ROWS", 1)
    await rest.push("A")
    await rest.push("B")
    soup = await page(rest, "/dashboard/Acme?refresh=yes")
    hidden = soup.select_one("form.search input[type=hidden]")
    assert hidden is not None
    assert (hidden["name"], hidden["value"]) == ("refresh", "yes")
    soup = await page(rest, linked(soup, "/dashboard/Acme", "More roles"))
    assert [link.get_text() for link in soup.select("tbody a")] == ["B"]
    assert seconds(soup) == "5"
    assert seconds(await page(rest, linked(soup, "/dashboard/Acme", "First page"))) == "5"


async def test_a_page_that_cannot_be_shown_for_a_moment_refreshes_itself(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page left open over a restart of a store would otherwise stay an error."""
    await rest.push()
    services = await rest.services()

    async def away(role_id: str) -> None:
        raise StoreUnavailable("graph")

    monkeypatch.setattr(services.graph, "role", away)
    assert seconds(await page(rest, ROLE, 503)) == "5"
    assert seconds(await page(rest, "/dashboard/Nobody", 404)) is None
