"""IP addresses that stand twice, or that are not written as they should be."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.path import Path, path
from podward.schema.validation.addresses import has_leading_zeros, is_ipv4, is_ipv6, is_mapped
from podward.schema.validation.raw import text, texts


def duplicates(spec: JsonObject) -> Iterator[str]:
    """Addresses of `hostAliases` that stand twice."""
    seen: set[str] = set()
    for index, alias in enumerate(objects(spec, "hostAliases")):
        address = text(alias, "ip")
        if address in seen:
            yield f"{path('spec', 'hostAliases', index, 'ip')}: duplicate ip {quote(address)}"
        seen.add(address)


def forms(spec: JsonObject) -> Iterator[str]:
    """Addresses of name servers and host aliases in an unusual form."""
    for index, server in enumerate(texts(member(spec, "dnsConfig"), "nameservers")):
        yield from form(server, path("spec", "dnsConfig", "nameservers", index))
    for index, alias in enumerate(objects(spec, "hostAliases")):
        yield from form(text(alias, "ip"), path("spec", "hostAliases", index, "ip"))


def form(address: str, at: Path) -> Iterator[str]:
    """The same about one address."""
    if is_ipv4(address) or not is_ipv6(address) or has_leading_zeros(address) or is_mapped(address):
        return  # validation has refused what is not right, and IPv4 has one form
    from ipaddress import IPv6Address

    canonical = IPv6Address(address).compressed
    if canonical != address:
        yield f"{at}: IPv6 address {quote(address)} should be in RFC 5952 canonical format ({quote(canonical)})"
