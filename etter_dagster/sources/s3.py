"""Documents in S3 or what speaks its protocol, through boto3 (the extra `s3`).

Credentials come the way AWS's own tools take them. Nothing here repeats: one layer retries.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.sources.http_api import REFUSED_RETRY_SECONDS, HttpStatus, retry_after
from etter_dagster.sources.layout import LayoutDocuments, StoredFile
from etter_dagster.sources.text import MAX_FILE_BYTES, check_file_size

SOURCE = "s3"
_CONNECT_SECONDS, _READ_SECONDS = 5, 10
_CHUNK = 1024 * 1024
_NOT_INSTALLED = (
    "S3 needs boto3, which is not installed: pip install 'etter-dagster[s3]'"  # also in doctor
)


class S3Bucket:
    """One bucket, also as a storage of the layout.

    Args:
        bucket: Its name.
        endpoint_url: An S3-compatible server; AWS, if None.
        seconds: Bound of a connection and of a pause in an answer.
    """

    def __init__(
        self, bucket: str, endpoint_url: str | None = None, *, seconds: float | None = None
    ) -> None:
        self.name = bucket
        self._endpoint = endpoint_url
        self._seconds = seconds
        self._made: Any = None
        self._lock = threading.Lock()

    def folders(self, path: str) -> list[str]:
        """Names of the folders in a folder."""
        prefix = f"{path}/" if path else ""
        return [
            common["Prefix"][len(prefix) : -1]
            for page in self._pages(prefix, Delimiter="/")
            for common in page.get("CommonPrefixes", ())
        ]

    def files(self, path: str) -> list[StoredFile]:
        """The objects of a folder."""
        prefix = f"{path}/"
        return [
            _stored(held["Key"][len(prefix) :], held)
            for page in self._pages(prefix, Delimiter="/")
            for held in page.get("Contents", ())
            if held["Key"] != prefix  # what some programs put there to show a folder
        ]

    def files_below(self, path: str) -> dict[str, list[StoredFile]]:
        """The objects of each folder of a folder: one list for thousands of roles."""
        prefix = f"{path}/"
        found: dict[str, list[StoredFile]] = {}
        for page in self._pages(prefix):
            for held in page.get("Contents", ()):
                folder, _, name = held["Key"][len(prefix) :].partition("/")
                if name and "/" not in name:
                    found.setdefault(folder, []).append(_stored(name, held))
        return found

    def read(self, path: str) -> bytes:
        """An object's bytes.

        Raises:
            SourceUnavailable: It cannot be read; `HttpStatus` 404 if it is not there.
            EtterError: `PAYLOAD_TOO_LARGE`.
        """
        name = path.rsplit("/", 1)[-1]
        with self._asking() as client:
            answer = client.get_object(Bucket=self.name, Key=path)
            with contextlib.closing(answer["Body"]) as body:
                check_file_size(answer["ContentLength"], name, field="documents")
                data = bytearray()
                while chunk := body.read(_CHUNK):
                    data += chunk
                    if len(data) > MAX_FILE_BYTES:
                        check_file_size(len(data), name, field="documents")
                return bytes(data)

    def _pages(self, prefix: str, **how: str) -> Iterator[Mapping[str, Any]]:
        """All pages of a listing."""
        token: dict[str, str] = {}
        while True:
            with self._asking() as client:
                page = client.list_objects_v2(Bucket=self.name, Prefix=prefix, **how, **token)
            held = len(page.get("Contents", ())) + len(page.get("CommonPrefixes", ()))
            more = page.get("IsTruncated")
            if page.get("KeyCount", held) != held or (
                more and not page.get("NextContinuationToken")
            ):
                raise SourceUnavailable("S3 cannot be read: it gave half a page")
            yield page
            if not more:
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Any]:
        client = self._client()
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
        from urllib3.exceptions import HTTPError

        try:
            yield client
        except ClientError as error:
            raise _refusal(error.response) from None
        except (BotoCoreError, ResponseParserError, HTTPError, OSError) as error:
            raise SourceUnavailable(
                f"S3 cannot be reached ({type(error).__name__}); check ETTER_S3_ENDPOINT_URL, the "
                "credentials and the network"
            ) from None

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                try:
                    import boto3
                    from botocore.config import Config
                except ImportError:
                    raise SourceUnavailable(_NOT_INSTALLED) from None
                config = Config(
                    connect_timeout=self._seconds or _CONNECT_SECONDS,
                    read_timeout=self._seconds or _READ_SECONDS,
                    retries={"total_max_attempts": 1},
                    # What only AWS itself sends must not be asked of others.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    s3={"addressing_style": "path"} if self._endpoint else {},
                )
                # A session of its own: boto3's default one is not made for threads.
                self._made = boto3.session.Session().client(
                    "s3", endpoint_url=self._endpoint, config=config
                )
                if self._endpoint:
                    self._made.meta.events.register("before-call.s3", _stay_here)
            return self._made


@functools.cache
def bucket_of(name: str, endpoint_url: str | None) -> S3Bucket:
    """The bucket, with one client for this process: making one takes a third of a second.

    Args:
        name: Its name.
        endpoint_url: As `S3Bucket`.
    """
    return S3Bucket(name, endpoint_url)


class S3Documents(LayoutDocuments):
    """Reads `S3_BUCKET`.

    Args:
        bucket: The bucket.
    """

    def __init__(self, bucket: S3Bucket) -> None:
        super().__init__(SOURCE, bucket)


def _stay_here(context: Mapping[str, Any], **_: Any) -> None:
    """Regions are AWS's: of another server's redirect botocore would ask itself without end."""
    context.get("s3_redirect", {})["redirected"] = True


def _stored(name: str, held: Mapping[str, Any]) -> StoredFile:
    return StoredFile(name, (held["ETag"], held["Size"], held["LastModified"].isoformat()))


def _refusal(response: Mapping[str, Any]) -> HttpStatus:
    meta = response.get("ResponseMetadata", {})
    status = int(meta.get("HTTPStatusCode", 500))
    code = str(response.get("Error", {}).get("Code", ""))
    if status in (401, 403):
        return HttpStatus(
            status,
            f"S3 refuses the credentials ({status} {code}); check AWS_* and AWS's own files, and "
            "that they may list and read ETTER_S3_BUCKET",
            retry_after=REFUSED_RETRY_SECONDS,
        )
    return HttpStatus(
        status,
        # botocore makes a 500 without a name of what it cannot read.
        f"S3 answered {status} {code}" if not code.isdigit() else f"S3 answered {status}",
        retry_after=retry_after(meta.get("HTTPHeaders", {}).get("retry-after", "")),
    )
