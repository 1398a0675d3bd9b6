"""Ports to listen on."""

from __future__ import annotations

import socket


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


def is_listening(host: str, port: int) -> bool:
    """Whether something takes connections there.

    Args:
        host: The address.
        port: The port.
    """
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True
