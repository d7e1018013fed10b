"""IP addresses in a Pod: of its own hosts file, and of its name servers.

Specification: Kubernetes with StrictIPCIDRValidation and RelaxedDNSSearchValidation: IsValidIPForLegacyField,
ValidateHostAliases, validatePodDNSConfig. Numbers with leading zeros were once read, and are
refused, as are IPv4 addresses in the guise of IPv6. With the policy None there is at least one name server.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation.field import NOTHING, Place, each, invalid_value, required
from podward.schema.validation.raw import text, texts
from podward.schema.validation.walk import Scope

_MOST_SERVERS, _MOST_SEARCHES, _MOST_CHARACTERS, _LONGEST_NAME = 3, 32, 2048, 253
_EDGES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_INSIDE = _EDGES | {"-", "_"}
_PART = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must"
    f" start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    f" '{_PART}(\\.{_PART})*')"
)
_IPV4_PARTS, _IPV6_PARTS, _LARGEST_BYTE, _HEX_DIGITS = 4, 8, 255, 4


def needed(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A Pod with the DNS policy None has a `dnsConfig`."""
    if spec.get("dnsConfig") is not None:
        return NOTHING
    return required(at / "dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")


def dns(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's `dnsConfig`."""
    config, at = member(spec, "dnsConfig"), at / "dnsConfig"
    servers, searches = texts(config, "nameservers"), texts(config, "searches")
    if spec.get("dnsPolicy") == "None" and not servers:
        return required(at / "nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
    options = [
        required(at / "options" / index, "must not be empty")
        for index, option in enumerate(objects(config, "options"))
        if not text(option, "name")
    ]
    return merge(_servers(servers, at / "nameservers"), _searches(searches, at / "searches"), *options)


def _servers(servers: list[str], at: Place) -> Decision:
    found: list[Decision] = []
    if len(servers) > _MOST_SERVERS:
        found.append(invalid_value(at, list(servers), f"must not have more than {_MOST_SERVERS} nameservers"))
    return merge(*found, *(each(at / index, server, address_faults(server)) for index, server in enumerate(servers)))


def _searches(searches: list[str], at: Place) -> Decision:
    found: list[Decision] = []
    if len(searches) > _MOST_SEARCHES:
        detail = f"must not have more than {_MOST_SEARCHES} search paths"
        found.append(invalid_value(at, list(searches), detail))
    if len(" ".join(searches).encode()) > _MOST_CHARACTERS:
        detail = f"must not have more than {_MOST_CHARACTERS} characters (including spaces) in the search list"
        found.append(invalid_value(at, list(searches), detail))
    for index, search in enumerate(searches):
        if search != ".":
            name = search.removesuffix(".")
            found.append(each(at / index, name, _search_faults(name)))
    return merge(*found)


def address_faults(value: str) -> tuple[str, ...]:
    """What keeps the value from being an IP address, taken strictly."""
    if not is_ipv4(value) and not is_ipv6(value):
        return ("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",)
    if has_leading_zeros(value):
        return ("must not have leading 0s",)
    return ("must not be an IPv4-mapped IPv6 address",) if is_mapped(value) else ()


def is_ipv4(value: str) -> bool:
    """Whether these are four numbers, leading zeros allowed."""
    parts = value.split(".")
    return len(parts) == _IPV4_PARTS and all(
        part.isascii() and part.isdecimal() and len(part.lstrip("0")) <= len("255") and int(part[-3:]) <= _LARGEST_BYTE
        for part in parts
    )


def is_ipv6(value: str) -> bool:
    """Whether these are eight groups, or fewer with one `::`; the last two may be an IPv4 address."""
    return _groups(value) is not None


def has_leading_zeros(value: str) -> bool:
    """Whether a decimal part of the address begins with a zero that counts for nothing."""
    dotted = value.rpartition(":")[2].split(".")
    return len(dotted) == _IPV4_PARTS and any(len(part) > 1 and part.startswith("0") for part in dotted)


def is_mapped(value: str) -> bool:
    """Whether an IPv6 address stands for an IPv4 one: `::ffff:10.0.0.1`."""
    groups = _groups(value)
    return groups is not None and groups[:6] == [0, 0, 0, 0, 0, 0xFFFF]


def _groups(value: str) -> list[int] | None:
    head, gap, tail = value.partition("::")
    left, right = _side(head), _side(tail)
    if left is None or right is None or (":" not in value) or (gap and "::" in tail):
        return None
    missing = _IPV6_PARTS - len(left) - len(right)
    if (gap and missing < 1) or (not gap and missing != 0):
        return None
    return left + [0] * missing + right


def _side(text_of_groups: str) -> list[int] | None:
    if not text_of_groups:
        return []
    *parts, last = text_of_groups.split(":")
    groups: list[int] = []
    if "." in last:
        if not is_ipv4(last):
            return None
        first, second, third, fourth = (int(part[-3:]) for part in last.split("."))
        ending = [first << 8 | second, third << 8 | fourth]
    else:
        parts.append(last)
        ending = []
    for part in parts:
        if not 0 < len(part) <= _HEX_DIGITS or part.strip("0123456789abcdefABCDEF"):
            return None
        groups.append(int(part, 16))
    return groups + ending


def _search_faults(name: str) -> list[str]:
    too_long = len(name.encode()) > _LONGEST_NAME
    faults = [f"must be no more than {_LONGEST_NAME} characters"] if too_long else []
    return faults if all(_is_part(part.removeprefix("_")) for part in name.split(".")) else [*faults, _SEARCH_RULE]


def _is_part(part: str) -> bool:
    return bool(part) and part[0] in _EDGES and part[-1] in _EDGES and _INSIDE.issuperset(part)
