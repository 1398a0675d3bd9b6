"""Where a browser's request comes from, and under which name this machine was asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def names_other_site(headers: Mapping[str, str]) -> bool:
    """Whether a request says that a page of another site made it.

    Args:
        headers: Of the request, by names in lower case.
    """
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def is_named_here(host: str) -> bool:
    """Whether a name that was asked for can only mean this machine or its own network.

    Args:
        host: The name or address, without a port.
    """
    if "." not in host or host.endswith((".localhost", ".internal")):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
