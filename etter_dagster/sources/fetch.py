"""Fetching a caller's `uri`: `https` of allowed hosts, `s3` of the configured bucket, and `file`
where the caller may.

A caller must not reach the inside of the network through us: addresses are resolved once, all of
them are checked, and the connection goes to a checked one; the same again at each redirect.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import unquote

import httpx

from etter_dagster.model.errors import FieldProblem, SourceUnavailable, ValidationFailed
from etter_dagster.model.identity import normalize_name
from etter_dagster.settings import Settings
from etter_dagster.sources.addresses import is_public
from etter_dagster.sources.http_api import HttpStatus, retry_after
from etter_dagster.sources.layout import layout_company
from etter_dagster.sources.s3 import S3Bucket, bucket_of
from etter_dagster.sources.text import check_file_size, document_text, read_document

MAX_REDIRECTS = 3
TIMEOUT_SECONDS = 30.0  # of the whole fetch, redirects included
_HTTPS_PORT = 443
_S3 = "s3://"
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT = (408, 425, 429)
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host.

    Args:
        host: The name.
        port: The port to connect to.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def fetch_document(
    uri: str,
    settings: Settings,
    *,
    field: str = "uri",
    company: str | None = None,
    allow_file: bool = False,
    resolver: Resolver = resolve,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> str:
    """The text of the document behind a caller's `uri`.

    Args:
        uri: `https://...` of an allowed host, `s3://...` of the configured bucket, or `file:...`.
        settings: For the allowed hosts.
        field: The field to blame.
        company: Whose role it is for; documents stored for another are refused.
        allow_file: Whether `file:` is allowed (command line and library only).
        resolver: Looks a host's addresses up.
        transport: Instead of the network.
        timeout: Seconds for everything.

    Raises:
        ValidationFailed: The uri is refused, or there is no usable document behind it.
        EtterError: `PAYLOAD_TOO_LARGE`.
        SourceUnavailable: The host cannot be reached or has trouble.
    """
    if uri.lower().startswith(_S3):
        try:
            reading = asyncio.to_thread(_object, uri[len(_S3) :], settings, field, company)
            return await asyncio.wait_for(reading, timeout)
        except asyncio.TimeoutError:
            raise SourceUnavailable(f"{field}: S3 did not answer in time") from None
    try:
        url = httpx.URL(uri)
    except (httpx.InvalidURL, ValueError):
        raise _refused(field, "is not a URL; give https://...") from None
    if url.scheme == "file":
        return await asyncio.to_thread(_file, url, field, allow_file)
    fetcher = _Fetcher(settings.allowed_document_hosts, field, resolver, transport)
    try:
        return await asyncio.wait_for(fetcher.text(url), timeout)
    except (asyncio.TimeoutError, httpx.TimeoutException):
        raise SourceUnavailable(f"{field}: {url.host} did not answer in time") from None
    except httpx.HTTPError as error:
        raise SourceUnavailable(
            f"{field}: {url.host} cannot be reached ({type(error).__name__})"
        ) from None


def _refused(field: str, message: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem(field, message))


def _file(url: httpx.URL, field: str, allowed: bool) -> str:
    if not allowed:
        raise _refused(field, "file: is for the command line and the library; give the content")
    if url.host not in ("", "localhost"):
        raise _refused(field, "names another machine; give file:///path")
    path = Path(unquote(url.path))
    try:
        check_file_size(path.stat().st_size, path.name, field=field)
        data = path.read_bytes()
    except OSError as error:
        raise _refused(field, f"{path} cannot be read ({error.strerror})") from None
    return document_text(data, path.name, field=field)


def _object(place: str, settings: Settings, field: str, company: str | None) -> str:
    """The text of an object; its key stands in the uri as it is, nothing is decoded."""
    bucket, _, key = place.partition("/")
    if settings.s3_bucket is None or bucket != settings.s3_bucket:
        raise _refused(
            field,
            f"the bucket {bucket} is not allowed; give the content, or have an operator set "
            "ETTER_S3_BUCKET",
        )
    if not key or key.endswith("/"):
        raise _refused(field, "names no object; give s3://bucket/key")
    storage = bucket_of(bucket, settings.s3_endpoint_url)
    if company is not None and _owner(storage, key) not in (None, normalize_name(company)):
        raise _refused(field, "is a document of another company")
    name = key.rsplit("/", 1)[-1]
    try:
        data = storage.read(key)
    except HttpStatus as error:
        if error.status != httpx.codes.NOT_FOUND:
            raise
        raise _refused(field, f"there is no {name} in the bucket {bucket}; check the uri") from None
    return document_text(data, name, field=field)


def _owner(storage: S3Bucket, key: str) -> str | None:
    """The company in whose folder an object is; whatever stands beside a role's documents is."""
    company, role, *rest = [*key.split("/"), ""]
    if owner := layout_company(key):
        return owner
    beside = storage.files(f"{company}/{role}") if any(rest) else ()
    owners = (layout_company(f"{company}/{role}/{file.name}") for file in beside)
    return next((owner for owner in owners if owner), None)


class _Fetcher:
    """One fetch: where it may go, and how to get there."""

    def __init__(
        self,
        allowed_hosts: Sequence[str],
        field: str,
        resolver: Resolver,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._allowed = allowed_hosts
        self._field = field
        self._resolver = resolver
        self._transport = transport

    async def text(self, url: httpx.URL) -> str:
        # No proxy from the environment: it would resolve the host again, unchecked.
        async with httpx.AsyncClient(
            transport=self._transport, trust_env=False, follow_redirects=False, timeout=10
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._get(client, url)
                if isinstance(answer, str):
                    return answer
                url = answer
        raise _refused(self._field, f"redirects more than {MAX_REDIRECTS} times; give the last URL")

    async def _get(self, client: httpx.AsyncClient, url: httpx.URL) -> httpx.URL | str:
        """The text, or where the answer sends us."""
        response = await self._connect(client, url, await self._checked_addresses(url))
        try:
            return await self._answer(url, response)
        finally:
            await response.aclose()

    async def _connect(
        self, client: httpx.AsyncClient, url: httpx.URL, addresses: Sequence[str]
    ) -> httpx.Response:
        """Asks at the first address that takes the connection; TLS still checks the host's name."""
        failure: httpx.ConnectError | None = None
        for address in addresses:
            request = client.build_request(
                "GET",
                url.copy_with(host=address),
                headers={"Host": url.netloc.decode(), "Accept-Encoding": "identity"},
                extensions={"sni_hostname": url.raw_host.decode()},
            )
            try:
                return await client.send(request, stream=True)
            except httpx.ConnectError as error:
                failure = error
        raise failure or httpx.ConnectError("no address")

    async def _checked_addresses(self, url: httpx.URL) -> Sequence[str]:
        host = url.raw_host.decode().rstrip(".").lower()
        if url.scheme != "https" or not host:
            raise _refused(self._field, "must begin with https://")
        if url.userinfo:
            raise _refused(self._field, "must hold no user name or password")
        if (url.port or _HTTPS_PORT) != _HTTPS_PORT:
            raise _refused(self._field, f"port {url.port} is not allowed; only {_HTTPS_PORT} is")
        if host not in self._allowed:
            raise _refused(
                self._field,
                f"the host {host} is not allowed; give the content, or have an operator add it to "
                "ETTER_ALLOWED_DOCUMENT_HOSTS",
            )
        try:
            addresses = await self._resolver(host, _HTTPS_PORT)
        except OSError:
            addresses = []
        if not addresses:
            raise SourceUnavailable(f"{self._field}: the host {host} cannot be resolved")
        if not all(is_public(address) for address in addresses):
            raise _refused(self._field, f"the host {host} has a private or local address")
        return addresses

    async def _answer(self, url: httpx.URL, response: httpx.Response) -> httpx.URL | str:
        status = response.status_code
        if status in _REDIRECTS and "location" in response.headers:
            return url.join(response.headers["location"])
        if status in _TRANSIENT or status >= 500:
            raise SourceUnavailable(
                f"{self._field}: {url.host} answered {status}",
                retry_after=retry_after(response.headers.get("retry-after", "")),
            )
        if status != 200:
            raise _refused(self._field, f"{url.host} answered {status}; check the link")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # We asked for none; a small compressed body may inflate without bound.
            raise _refused(self._field, f"{url.host} sends it compressed; give the content")
        name = unquote(url.path.rsplit("/", 1)[-1]) or url.host
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            check_file_size(len(data), name, field=self._field)
        content_type = response.headers.get("content-type")
        return await read_document(bytes(data), name, content_type, field=self._field)
