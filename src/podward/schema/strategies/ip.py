"""IP addresses and their ranges, as fields of several kinds have them.

Specification: Kubernetes with StrictIPCIDRValidation, util/validation ip.go, ValidateEndpointIP. What is stored already
may stay as it is written; the server's older reading, with leading zeros, tells the kinds of fault apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.addresses import (
    address_faults,
    has_leading_zeros,
    is_ipv4,
    is_ipv6,
    is_mapped,
)
from podward.schema.validation.field import NOTHING, At, each, invalid
from podward.schema.warnings.addresses import form

_NO_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_LINK_LOCAL = ip_network("169.254.0.0/16"), ip_network("fe80::/10")
_LOOPBACK = ip_network("127.0.0.0/8")
_LOCAL_MULTICAST = ip_network("224.0.0.0/24")


def address(value: str, at: At, stored: Collection[str] = ()) -> Decision:
    """Refuse what is no address, unless it is stored already."""
    faults = address_faults(value)
    return each(at, value, faults) if faults and value not in stored else NOTHING


def canonical_address(value: str, at: At) -> Decision:
    """Refuse what is no address in its one form."""
    faults = address_faults(value)
    if faults:
        return each(at, value, faults)
    written = str(ip_address(value))
    return NOTHING if written == value else invalid(at, value, f"must be in canonical form ({quote(written)})")


def address_range(value: str, at: At, stored: Collection[str] = ()) -> Decision:
    """Refuse what is no range, unless it is stored already."""
    fault = range_fault(value)
    return invalid(at, value, fault) if fault and value not in stored else NOTHING


def canonical_range(value: str, at: At) -> Decision:
    """Refuse what is no range in its one form."""
    fault = range_fault(value)
    if fault:
        return invalid(at, value, fault)
    written = str(ip_network(value))
    return NOTHING if written == value else invalid(at, value, f"must be in canonical form ({quote(written)})")


def range_fault(value: str) -> str:
    """What keeps a text from being a range of addresses."""
    base, slash, length = value.partition("/")
    is_4 = is_ipv4(base)
    digits = length.isascii() and length.isdecimal() and len(length) < 9
    if not slash or not digits or not (is_4 or is_ipv6(base)) or int(length) > (32 if is_4 else 128):
        return _NO_RANGE
    if has_leading_zeros(base) or (len(length) > 1 and length.startswith("0")):
        return "must not have leading 0s in IP or prefix length"
    if not is_4 and is_mapped(base):
        return "must not have an IPv4-mapped IPv6 address"
    try:
        ip_network(value)
    except ValueError:
        return "must not have bits set beyond the prefix length"
    return ""


def network(value: str) -> IPv4Network | IPv6Network | None:
    """A range as the server once read it: whatever is beyond its length counts for nothing."""
    base, _, length = value.partition("/")
    found = parsed(base)
    is_length = length.isascii() and length.isdecimal() and len(length) < 9
    if found is None or not is_length or int(length) > found.max_prefixlen:
        return None
    return ip_network(f"{found}/{int(length)}", strict=False)


def parsed(value: str) -> IPv4Address | IPv6Address | None:
    """An address as the server once read it: leading zeros count for nothing."""
    if is_ipv4(value):
        return IPv4Address(".".join(part.lstrip("0") or "0" for part in value.split(".")))
    if not is_ipv6(value):
        return None
    head, colon, last = value.rpartition(":")
    if "." in last:
        last = ".".join(part.lstrip("0") or "0" for part in last.split("."))
    found = IPv6Address(f"{head}{colon}{last}")
    return found.ipv4_mapped or found


def of_endpoint(value: str, at: At) -> Decision:
    """Refuse addresses that no endpoint has."""
    found = parsed(value)
    if found is None:
        return invalid(at, value, "must be a valid IP address")
    wrong: list[str] = []
    if found.is_unspecified:
        wrong.append(f"may not be unspecified ({value})")
    if found in _LOOPBACK or found == IPv6Address(1):
        wrong.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if any(found in each_range for each_range in _LINK_LOCAL):
        wrong.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if found in _LOCAL_MULTICAST or (found.version == 6 and found.packed[0] == 0xFF and found.packed[1] & 15 == 2):
        wrong.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    return each(at, value, wrong) if wrong else NOTHING


def is_version_6(value: str) -> bool:
    """Whether it is an address of version 6."""
    found = parsed(value)
    return found is not None and found.version == 6


def are_of_both_versions(values: Iterable[str]) -> bool:
    """Whether there are addresses of both."""
    return len({is_version_6(value) for value in values}) > 1


def warned(value: str, at: Path) -> tuple[str, ...]:
    """The warning about an address in another form than its own."""
    return tuple(form(value, at))


def range_warned(value: str, at: Path) -> tuple[str, ...]:
    """The warnings about a range in another form than its own, or of which it is not clear what it means."""
    base, _, length = value.partition("/")
    found = parsed(base)
    if found is None or not length.isdecimal():
        return ()
    whole = network(value)
    if whole is None:
        return ()
    warnings: list[str] = []
    if whole.network_address != found:
        single = f"{found}/{found.max_prefixlen}"
        means = f"should be {quote(str(whole))} or {quote(single)}?"
        warnings.append(f"{at}: CIDR value {quote(value)} is ambiguous in this context ({means})")
    zeros = has_leading_zeros(base) or (len(length) > 1 and length.startswith("0"))
    if zeros or is_mapped(base):
        warnings.append(f"{at}: non-standard CIDR value {quote(value)} is invalid: use {quote(str(whole))}")
    elif not warnings and found.version == 6 and str(whole) != value:
        better = f"should be in RFC 5952 canonical format ({quote(str(whole))})"
        warnings.append(f"{at}: IPv6 CIDR value {quote(value)} {better}")
    return tuple(warnings)


def each_address(values: Iterable[str], at: At, stored: Collection[str] = ()) -> Decision:
    """The same of a list."""
    return merge(*[address(value, at / index, stored) for index, value in enumerate(values)])
