"""Ports to listen on, claimed so that two services that start at once do not take the same one."""

from __future__ import annotations

import socket
from dataclasses import dataclass

_TRIES = 20  # of any free port: one that is somebody else's by its claim alone is very rare


@dataclass(frozen=True)
class ClaimedPort:
    """A TCP port on which nobody listens, and which no other `etter up` uses.

    Between finding a port free and a server listening on it, seconds pass. The claim is the UDP
    port of the same number: the system frees it when the process ends, however.
    """

    number: int
    claim: socket.socket

    def release(self) -> None:
        """Others may use it."""
        self.claim.close()


def claim_port(host: str, preferred: int = 0) -> ClaimedPort:
    """The preferred port if nobody uses it, else any free one.

    Args:
        host: The address to listen on.
        preferred: The usual port; 0 for any.

    Raises:
        OSError: `host` is no address of this machine.
    """
    for port in (preferred, *([0] * _TRIES)):
        try:
            return _claim(host, port)
        except OSError as error:
            refused = error
    raise refused


def _claim(host: str, port: int) -> ClaimedPort:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    claim = socket.socket(family, socket.SOCK_DGRAM)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            number = int(probe.getsockname()[1])
            claim.bind((host, number))
    except BaseException:
        claim.close()
        raise
    return ClaimedPort(number, claim)


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
