"""A running service notices that the keys have changed, and sees that the audit log says so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from etter_dagster.api.keyring import Keyring
from etter_dagster.model.api_keys import ApiKey
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.onboarding.key_audit import BY_FILE, record_keys
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.access import AccessStore

AGAIN_SECONDS = 10.0
log = logging.getLogger(__name__)


class KeyWatch:
    """Records changes of one process's keyring, in the background.

    Args:
        keyring: The keys.
        services: The graph keeps the audit log.
        access: Remembers what was recorded.
    """

    def __init__(self, keyring: Keyring, services: Services, access: AccessStore) -> None:
        self._keyring = keyring
        self._services = services
        self._access = access
        self._recorded: tuple[ApiKey, ...] | None = None
        self._busy = False
        self._again_at = float("-inf")

    def look(self, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """Looks at the keys; costs microseconds while they are the same.

        Args:
            spawn: Runs in the background what is to be recorded.
        """
        keys = self._keyring.keys
        if self._busy or keys is self._recorded or self._keyring.problem is not None:
            return
        if keys != self._recorded and time.monotonic() >= self._again_at:
            self._busy = True
            spawn(self._record(keys))

    async def _record(self, keys: tuple[ApiKey, ...]) -> None:
        services = self._services
        try:
            await record_keys(
                services.graph, self._access, keys, at=services.clock(), actor=BY_FILE
            )
            self._recorded = keys
        except StoreUnavailable:
            log.warning("changes of API keys are not in the audit log yet: a store is away")
            self._again_at = time.monotonic() + AGAIN_SECONDS
        finally:
            self._busy = False
