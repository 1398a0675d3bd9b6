"""Which network addresses are public. Pure."""

from __future__ import annotations

import ipaddress

# Python's own tables changed between versions; these must be refused in all of them.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",  # benchmarks
        "64:ff9b:1::/48",
        "fec0::/10",
        "2001::/23",  # Teredo among others
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is of the public internet; one that cannot be read is not.

    An IPv6 address that carries an IPv4 address is judged by that one.

    Args:
        address: IPv4 or IPv6, with or without a zone.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    if ip.is_multicast or ip.is_reserved or not ip.is_global:
        return False
    return not any(ip in network for network in _REFUSED if network.version == ip.version)
