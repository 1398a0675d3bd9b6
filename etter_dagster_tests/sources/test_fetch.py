"""Fetching a caller's uri: what is let through, what is refused, what is an outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path

import httpx
import pytest

from etter_dagster.model.errors import ErrorCode, EtterError, SourceUnavailable, ValidationFailed
from etter_dagster.settings import Settings
from etter_dagster.sources.addresses import is_public
from etter_dagster.sources.fetch import fetch_document, resolve
from etter_dagster.sources.text import MAX_FILE_BYTES
from etter_dagster_tests import papers

PUBLIC, OTHER_PUBLIC = "93.184.216.34", "2606:4700::1111"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def settings() -> Settings:
    return Settings(
        _env_file=None,
        allowed_document_hosts=("docs.example.com", "other.example.com", "xn--mnchen-3ya.example"),
    )


class Resolver:
    """Gives addresses per host and counts how often each was asked for."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.addresses = {"docs": [PUBLIC], "other": [OTHER_PUBLIC], **addresses}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.addresses.get(host.partition(".")[0], [PUBLIC])


def answer(body: bytes = b"# JD", status: int = 200, **headers: str) -> Handler:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, headers=names, stream=Body(body))


class Body(httpx.AsyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


async def fetch(
    settings: Settings,
    uri: str,
    handler: Handler
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
    | None = None,
    *,
    resolver: Resolver | None = None,
    allow_file: bool = False,
    timeout: float = 30.0,
) -> str:
    return await fetch_document(
        uri,
        settings,
        field="documents[0].uri",
        resolver=resolver or Resolver(),
        transport=httpx.MockTransport(handler or answer()),
        allow_file=allow_file,
        timeout=timeout,
    )


async def test_an_allowed_host_is_asked_at_its_checked_address_under_its_own_name(
    settings: Settings,
) -> None:
    """Resolving again at connect time would let a second answer lead inside the network."""
    seen: list[httpx.Request] = []
    resolver = Resolver()

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(b"<h1>JD</h1>", content_type="text/html")(request)

    text = await fetch(
        settings, "https://Docs.Example.com/a%20b.html?x=1", handler, resolver=resolver
    )
    assert text == "# JD"
    (request,) = seen
    assert str(request.url) == f"https://{PUBLIC}/a%20b.html?x=1"
    assert request.headers["host"] == "docs.example.com"
    assert request.extensions["sni_hostname"] == "docs.example.com"
    assert resolver.asked == ["docs.example.com"]


async def test_an_international_host_is_asked_by_its_ascii_name(settings: Settings) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["sni_hostname"])
        return answer()(request)

    await fetch(settings, "https://münchen.example/jd.md", handler)
    assert seen == ["xn--mnchen-3ya.example"]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://docs.example.com/jd.md", "must begin with https://"),
        ("ftp://docs.example.com/jd.md", "must begin with https://"),
        ("//docs.example.com/jd.md", "must begin with https://"),
        ("jd.md", "must begin with https://"),
        ("https:///jd.md", "must begin with https://"),
        ("https://evil.example.com/jd.md", "is not allowed"),
        ("https://docs.example.com.evil.example/jd.md", "is not allowed"),
        ("https://127.0.0.1/jd.md", "is not allowed"),
        ("https://[::1]/jd.md", "is not allowed"),
        ("https://2130706433/", "is not allowed"),
        ("https://docs.example.com@evil.example.com/", "no user name"),
        ("https://user:pw@docs.example.com/", "no user name"),
        ("https://docs.example.com:8443/", "port 8443"),
        ("https://[::1", "is not a URL"),
        ("s3://bucket/key", "the bucket bucket is not allowed"),
        ("file:///etc/passwd", "command line and the library"),
    ],
)
async def test_a_refused_uri_is_never_asked(settings: Settings, uri: str, reason: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError("must not be asked")

    resolver = Resolver()
    with pytest.raises(ValidationFailed) as caught:
        await fetch(settings, uri, handler, resolver=resolver)
    assert caught.value.fields[0].field == "documents[0].uri"
    assert reason in caught.value.message
    assert "pw" not in caught.value.message
    assert resolver.asked == []


async def test_no_host_is_allowed_by_default() -> None:
    with pytest.raises(ValidationFailed, match="ETTER_ALLOWED_DOCUMENT_HOSTS"):
        await fetch(Settings(_env_file=None), "https://docs.example.com/jd.md")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "10.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["100.64.0.1"],
        ["198.18.0.1"],
    ],
)
async def test_a_host_with_any_private_address_is_refused(
    settings: Settings, addresses: list[str]
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError("must not be asked")

    with pytest.raises(ValidationFailed, match="private or local"):
        await fetch(
            settings, "https://docs.example.com/", handler, resolver=Resolver(docs=addresses)
        )


async def test_the_next_address_is_tried_if_one_takes_no_connection(settings: Settings) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        if len(seen) == 1:
            raise httpx.ConnectError("refused")
        return answer(b"text")(request)

    resolver = Resolver(docs=[OTHER_PUBLIC, PUBLIC])
    assert (
        await fetch(settings, "https://docs.example.com/a.md", handler, resolver=resolver) == "text"
    )
    assert seen == [OTHER_PUBLIC, PUBLIC]


def redirect(to: str) -> Handler:
    return lambda request: httpx.Response(302, headers={"location": to})


async def test_a_redirect_within_the_allowed_hosts_is_followed_and_checked_again(
    settings: Settings,
) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.headers['host']}{request.url.path} at {request.url.host}")
        if request.url.path == "/a":
            return redirect("/b")(request)
        if request.url.path == "/b":
            return redirect("https://other.example.com/c")(request)
        return answer(b"text")(request)

    resolver = Resolver()
    assert await fetch(settings, "https://docs.example.com/a", handler, resolver=resolver) == "text"
    assert seen == [
        f"docs.example.com/a at {PUBLIC}",
        f"docs.example.com/b at {PUBLIC}",
        f"other.example.com/c at {OTHER_PUBLIC}",
    ]
    assert resolver.asked == ["docs.example.com", "docs.example.com", "other.example.com"]


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("https://evil.example.com/", "is not allowed"),
        ("http://docs.example.com/", "must begin with https://"),
        ("https://169.254.169.254/latest/meta-data", "is not allowed"),
        ("file:///etc/passwd", "must begin with https://"),
        ("/again", "redirects more than 3 times"),
    ],
)
async def test_a_redirect_elsewhere_is_refused(settings: Settings, to: str, reason: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        await fetch(settings, "https://docs.example.com/a", redirect(to))
    assert reason in caught.value.message


async def test_a_host_that_moves_inside_between_redirects_is_refused(settings: Settings) -> None:
    resolver = Resolver()

    def handler(request: httpx.Request) -> httpx.Response:
        resolver.addresses["docs"] = ["10.0.0.1"]
        return redirect("/b")(request)

    with pytest.raises(ValidationFailed, match="private or local"):
        await fetch(settings, "https://docs.example.com/a", handler, resolver=resolver)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204, 304])
async def test_an_answer_without_a_document_names_the_status(
    settings: Settings, status: int
) -> None:
    with pytest.raises(ValidationFailed, match=f"answered {status}; check the link"):
        await fetch(settings, "https://docs.example.com/a", answer(status=status))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_trouble_of_the_host_is_an_outage_and_not_a_missing_document(
    settings: Settings, status: int
) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        await fetch(settings, "https://docs.example.com/a", answer(status=status, retry_after="7"))
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("header", ["soon", "", "-1", "²"])
async def test_an_unreadable_retry_after_is_left_out(settings: Settings, header: str) -> None:
    handler: Handler = lambda request: httpx.Response(  # noqa: E731
        503, headers=[(b"retry-after", header.encode())]
    )
    with pytest.raises(SourceUnavailable) as caught:
        await fetch(settings, "https://docs.example.com/a", handler)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
)
async def test_a_broken_connection_is_an_outage(settings: Settings, error: Exception) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(SourceUnavailable):
        await fetch(settings, "https://docs.example.com/a", handler)


async def test_a_redirect_to_no_url_is_the_hosts_trouble(settings: Settings) -> None:
    with pytest.raises(SourceUnavailable):
        await fetch(settings, "https://docs.example.com/a", redirect("https://[::1"))


async def test_the_systems_resolver_gives_addresses() -> None:
    """Also the proof that `localhost` cannot slip through by its name."""
    addresses = await resolve("localhost", 443)
    assert addresses
    assert not any(is_public(address) for address in addresses)


async def test_a_host_that_cannot_be_resolved_is_an_outage(settings: Settings) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be resolved"):
        await fetch(settings, "https://docs.example.com/a", resolver=Resolver(docs=[]))


async def test_an_endless_answer_ends_at_the_time_limit(settings: Settings) -> None:
    """A server that sends one byte now and then never trips a read timeout."""

    async def handler(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("never")

    with pytest.raises(SourceUnavailable, match="in time"):
        await fetch(settings, "https://docs.example.com/a", handler, timeout=0.01)


async def test_a_large_answer_is_cut_off_while_it_comes(settings: Settings) -> None:
    read = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal read
            while True:
                read += 1024 * 1024
                yield b"x" * 1024 * 1024

    with pytest.raises(EtterError) as caught:
        await fetch(
            settings,
            "https://docs.example.com/a",
            lambda request: httpx.Response(200, stream=Endless()),
        )
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE
    assert read <= MAX_FILE_BYTES + 2 * 1024 * 1024


async def test_a_compressed_answer_is_refused(settings: Settings) -> None:
    """20 MiB of gzip can be 20 GiB of text."""
    with pytest.raises(ValidationFailed, match="compressed"):
        await fetch(settings, "https://docs.example.com/a", answer(content_encoding="gzip"))


async def test_a_pdf_behind_a_link_is_read(settings: Settings) -> None:
    text = await fetch(settings, "https://docs.example.com/jd.pdf", answer(papers.pdf()))
    assert "Review claims" in text


async def test_a_broken_pdf_behind_a_link_is_refused_with_the_remedy(settings: Settings) -> None:
    with pytest.raises(ValidationFailed, match=r"jd\.pdf is a broken PDF.*print it to a new"):
        await fetch(settings, "https://docs.example.com/jd.pdf", answer(b"%PDF-1.7"))


async def test_a_file_is_read_where_the_caller_may(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "a b.md"
    path.write_text("# JD")
    assert await fetch(settings, path.as_uri(), allow_file=True) == "# JD"
    with pytest.raises(ValidationFailed, match="cannot be read"):
        await fetch(settings, (tmp_path / "missing.md").as_uri(), allow_file=True)
    with pytest.raises(ValidationFailed, match="names another machine"):
        await fetch(settings, "file://server/share/jd.md", allow_file=True)
