"""Noticing that the server was told to stop, beside the server's own handling of the signal.

Servers end only when every response has ended, and a stream of a waiting push does not: it must
be told. The life span comes too late for that, and an app that is mounted in another has none.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PYTHONS = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler, None)


def on_stop(act: Callable[[], None]) -> Callable[[], None]:
    """Calls `act` in the running event loop on SIGTERM and SIGINT, before the server's handler.

    Where no server handles a signal, nothing is changed.

    Args:
        act: Quick and safe to call twice.

    Returns:
        Takes it back.
    """
    loop = asyncio.get_running_loop()
    # Handlers are the main thread's; in another one no server waits for signals.
    here = threading.current_thread() is threading.main_thread()
    found = {int(number): signal.getsignal(number) for number in _SIGNALS} if here else {}
    servers = {n: handler for n, handler in found.items() if handler not in _PYTHONS}

    def notice(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(act)
        handler = servers[number]
        if callable(handler):
            handler(number, frame)

    def take_back() -> None:
        for number, handler in servers.items():
            if signal.getsignal(number) is notice:
                signal.signal(number, handler)

    for number in servers:
        signal.signal(number, notice)
    return take_back
