"""IP addresses and networks in CEL: `cidr("10.0.0.0/8").containsIP("10.1.2.3")`.

Specification: k8s.io/apiserver pkg/cel/library/ip.go and cidr.go: no zones, no IPv4 in IPv6, no leading zeros.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_interface, ip_network

from podward.api.gotext import quote
from podward.schema.cel.rows import Function, accepts, content, opaque


def _parsed(text: str) -> IPv4Address | IPv6Address:
    try:
        found = ip_address(text)
    except ValueError:
        raise ValueError(f"IP Address {quote(text)} parse error during conversion from string") from None
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        raise ValueError(f"IP address {quote(text)} with zone value is not allowed")
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        raise ValueError(f"IPv4-mapped IPv6 address {quote(text)} is not allowed")
    return found


def _ip(text: str) -> bytes:
    return opaque("IP", str(_parsed(text)))


def _cidr(text: str) -> bytes:
    address, slash, length = text.partition("/")
    wrong = ValueError(f"network address parse error during conversion from string: {quote(text)}")
    if not slash or not length.isascii() or not length.isdigit() or (length[0] == "0" and length != "0"):
        raise wrong
    try:
        _parsed(address)
        found = ip_interface(text)
    except ValueError as error:
        raise (error if "not allowed" in str(error) else wrong) from None
    return opaque("CIDR", f"{found.ip}/{found.network.prefixlen}")


def _network(value: bytes) -> IPv4Network | IPv6Network:
    return ip_network(content(value), strict=False)


def _own(value: bytes) -> IPv4Address | IPv6Address:
    return ip_address(content(value))


def _within(value: bytes, other: bytes) -> bool:
    inner, outer = _network(other), _network(value)
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _is_global(value: bytes) -> bool:
    """Go's IsGlobalUnicast, to which private addresses belong."""
    found = _own(value)
    if found == IPv4Address("255.255.255.255"):
        return False
    return not (found.is_unspecified or found.is_loopback or found.is_multicast or found.is_link_local)


def _is_link_local_multicast(value: bytes) -> bool:
    found = _own(value)
    if isinstance(found, IPv4Address):
        return found in ip_network("224.0.0.0/24")
    return found.packed[0] == 0xFF and found.packed[1] & 0x0F == 0x02


FUNCTIONS = (
    Function("ip", ("string",), "IP", _ip, method=False),
    Function("isIP", ("string",), "bool", accepts(_ip), method=False),
    Function("ip.isCanonical", ("string",), "bool", lambda text: str(_parsed(text)) == text, method=False),
    Function("family", ("IP",), "int", lambda value: _own(value).version),
    Function("isUnspecified", ("IP",), "bool", lambda value: _own(value).is_unspecified),
    Function("isLoopback", ("IP",), "bool", lambda value: _own(value).is_loopback),
    Function("isLinkLocalMulticast", ("IP",), "bool", _is_link_local_multicast),
    Function("isLinkLocalUnicast", ("IP",), "bool", lambda value: _own(value).is_link_local),
    Function("isGlobalUnicast", ("IP",), "bool", _is_global),
    Function("cidr", ("string",), "CIDR", _cidr, method=False),
    Function("isCIDR", ("string",), "bool", accepts(_cidr), method=False),
    Function("containsIP", ("CIDR", "IP"), "bool", lambda value, other: _own(other) in _network(value)),
    Function("containsIP", ("CIDR", "string"), "bool", lambda value, text: _parsed(text) in _network(value)),
    Function("containsCIDR", ("CIDR", "CIDR"), "bool", _within),
    Function("containsCIDR", ("CIDR", "string"), "bool", lambda value, text: _within(value, _cidr(text))),
    Function("ip", ("CIDR",), "IP", lambda value: opaque("IP", content(value).partition("/")[0])),
    Function("prefixLength", ("CIDR",), "int", lambda value: _network(value).prefixlen),
    Function("masked", ("CIDR",), "CIDR", lambda value: opaque("CIDR", str(_network(value)))),
)
