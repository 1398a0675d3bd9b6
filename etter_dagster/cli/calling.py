"""The REST client as commands use it: errors say where was asked and how to start the service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx

from etter_dagster.cli.service import not_etter
from etter_dagster.client import EtterClient
from etter_dagster.client.calls import Call
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.push import Source
from etter_dagster.onboarding.status import StatusView

_TIMEOUT_SECONDS = 300.0  # the answer to 10,000 roles takes a while
_CONNECT_SECONDS = 10.0
_TRIES = 5
_LONGEST_PAUSE_SECONDS = 60
_WORTH_WAITING = (ErrorCode.RATE_LIMITED, ErrorCode.STORE_UNAVAILABLE)

Answer = TypeVar("Answer")


class Service(EtterClient):
    """`EtterClient` with remedies for people at a terminal.

    Args:
        url: Where the service is, without the path.
        api_key: The key, where there are keys.
        transport: Instead of the network.
        sleep: How to pause before asking again.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(
            url, api_key=api_key, timeout=_TIMEOUT_SECONDS, transport=transport, sleep=sleep
        )
        self._http.headers["X-Etter-Source"] = Source.CLI.value
        self._http.timeout = httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS)
        self.url = url

    def send(self, call: Call[Answer]) -> Answer:
        """Sends a call and reads its answer."""
        try:
            return super().send(call)
        except EtterError as error:
            raise self._with_remedy(error) from error.__cause__

    def send_patiently(self, call: Call[Answer]) -> Answer:
        """The same, and asks again after the pause that a busy service names.

        Args:
            call: One that may be repeated: with an idempotency key, or only reading.
        """
        for _ in range(_TRIES - 1):
            try:
                return self.send(call)
            except EtterError as error:
                if error.code not in _WORTH_WAITING or error.retry_after is None:
                    raise
                self._sleep(min(error.retry_after, _LONGEST_PAUSE_SECONDS))
        return self.send(call)

    def watch(self, workflow_id: str) -> Iterator[StatusView]:
        """The status at each change, till the push has ended."""
        try:
            yield from super().watch(workflow_id)
        except EtterError as error:
            raise self._with_remedy(error) from error.__cause__

    def _with_remedy(self, error: EtterError) -> EtterError:
        if isinstance(error.__cause__, httpx.TransportError):
            return EtterError(
                ErrorCode.STORE_UNAVAILABLE,
                f"no answer from the service at {self.url} ({type(error.__cause__).__name__}); "
                "start it with `etter up`, or say where it is with --url",
            )
        if error.code is ErrorCode.INTERNAL_ERROR and "base URL" in error.message:
            return not_etter(self.url)
        return error
