"""Ports to listen on."""

from __future__ import annotations

import socket
import time


def free_port(host: str, preferred: int = 0) -> int:
    """The preferred port if nobody listens there, else any free one.

    Args:
        host: The address to listen on.
        preferred: The usual port; 0 for any.

    Raises:
        OSError: `host` is no address of this machine.
    """
    for port in (preferred, 0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                if port == 0:
                    raise
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("port 0 is bound or raises")


def wait_listening(host: str, port: int, seconds: float) -> bool:
    """Waits until something listens; False if nothing does within the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
