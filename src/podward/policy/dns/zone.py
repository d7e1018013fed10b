"""What the cluster's DNS answers: the names of Services and Pods; everything else is for others to answer.

Specification (Kubernetes DNS-Based Service Discovery 1.1, and CoreDNS' plugin `kubernetes`, in our words): below
`svc.DOMAIN` are the names of Services (`names`), below `pod.DOMAIN` A-B-C-D.NAMESPACE is the address that it spells;
`dns-version.DOMAIN` says which version of the specification holds. A name that is there without a record of the type
asked for is answered by nothing, one that is not there by NXDOMAIN, both with the domain's SOA record. Addresses of
Services and of endpoints of headless ones point back at their names; other addresses are not ours.
"""

from __future__ import annotations

import struct
from ipaddress import AddressValueError, IPv4Address

from podward.policy.dns import message
from podward.policy.dns.message import Answer, Query, Record
from podward.policy.dns.names import Offered, ServiceNames

TTL = 5
"""Seconds: clients ask again soon, since Services change."""
_SPECIFICATION = "1.1.0"
_REVERSE = ".in-addr.arpa"
_MOST_ALIASES = 8


class Zone:
    """The names by Service, as they are now."""

    def __init__(self, domain: str, server: str) -> None:
        """`server` is the address that the cluster's DNS is asked at."""
        self.domain = domain.strip(".").lower()
        self._server = server
        self._services: dict[tuple[str, str], ServiceNames] = {}
        self._pointers: dict[str, dict[tuple[str, str], str]] = {}
        self._namespaces: dict[str, int] = {}

    def put(self, namespace: str, name: str, names: ServiceNames | None) -> None:
        """Know a Service's names from now on; None: there is no such Service any more."""
        key = (namespace, name)
        old = self._services.pop(key, None)
        if old is not None:
            self._namespaces[namespace] -= 1
            for ip in old.pointers:
                self._pointers[ip].pop(key)
                if not self._pointers[ip]:
                    del self._pointers[ip]
        if names is not None:
            self._services[key] = names
            self._namespaces[namespace] = self._namespaces.get(namespace, 0) + 1
            for ip, host in names.pointers.items():
                self._pointers.setdefault(ip, {})[key] = host

    def answer(self, query: Query) -> Answer | None:
        """What is answered; None where the name is nobody's in the cluster."""
        if query.name.endswith(_REVERSE):
            return self._reverse(query)
        if query.name != self.domain and not query.name.endswith(f".{self.domain}"):
            return None
        records = self._follow(query)
        if records is None:
            return Answer(message.NO_SUCH_NAME, authority=(self._authority(),))
        further = ""
        if records and records[-1].kind == message.CNAME and query.kind != message.CNAME:
            target = message.read_name(records[-1].data, 0)[0]
            further = "" if self._is_ours(target) else target
        if not records:
            return Answer(message.NO_ERROR, authority=(self._authority(),))
        return Answer(message.NO_ERROR, records, additional=self._hosts_of(records), further=further)

    def _follow(self, query: Query) -> tuple[Record, ...] | None:
        """The records of a name, and of the names of ours that it stands for; None where there is no such name."""
        found: list[Record] = []
        name = query.name
        for _ in range(_MOST_ALIASES):
            records = self._records(name, query.kind)
            if records is None:
                return tuple(found) if found else None
            found += records
            if not records or records[-1].kind != message.CNAME or query.kind in (message.CNAME, message.ANY):
                break
            name = message.read_name(records[-1].data, 0)[0]
            if not self._is_ours(name):
                break
        return tuple(found)

    def _is_ours(self, name: str) -> bool:
        return name.endswith(f".{self.domain}")

    def _records(self, name: str, kind: int) -> list[Record] | None:
        """The records of this type that a name of the domain has; None where there is no such name."""
        labels = name.removesuffix(self.domain).rstrip(".").split(".") if name != self.domain else []
        match labels:
            case [*below, service, namespace, "svc"]:
                known = self._services.get((namespace, service))
                return self._of_service(known, name, below, kind) if known is not None else None
            case [namespace, "svc"]:
                return [] if self._namespaces.get(namespace) else None
            case [dashed, _, "pod"]:
                ip = dashed.replace("-", ".")
                return _addresses(name, (ip,), kind) if _is_ipv4(ip) else None
            case _:
                return self._of_domain(".".join(labels), kind)

    def _of_domain(self, below: str, kind: int) -> list[Record] | None:
        """The records of the domain itself, and of what every domain has."""
        fixed = {
            "": {message.SOA: self._authority(), message.NS: self._name_server()},
            "dns-version": {message.TXT: message.text(f"dns-version.{self.domain}", _SPECIFICATION, TTL)},
            "ns.dns": {message.A: message.address(f"ns.dns.{self.domain}", self._server, TTL)},
        }
        known = {} if below in ("dns", "svc", "pod") else fixed.get(below)
        if known is None or kind == message.ANY:
            return list(known.values()) if known is not None else None
        return [known[kind]] if kind in known else []

    def _of_service(self, known: ServiceNames, name: str, below: list[str], kind: int) -> list[Record] | None:
        """The records of a Service's name, or of a name below it."""
        base = ".".join(name.split(".")[len(below) :])
        host = ".".join(below)
        if known.alias:
            return [message.alias(name, known.alias, TTL)] if not below else None
        if host in known.addresses:
            records = _addresses(name, known.addresses[host], kind)
            listed = [each for each in known.offered if not host or each.host == host]
        else:
            named = [each for each in known.offered if each.name]
            records, listed = [], [each for each in named if below == [f"_{each.name}", f"_{each.protocol}"]]
            if not listed:
                return [] if host in {f"_{each.protocol}" for each in named} else None
        return records + (_services(name, listed, base) if kind in (message.SRV, message.ANY) else [])

    def _hosts_of(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """The addresses of whoever SRV records point at."""
        targets = [message.read_name(each.data, 6)[0] for each in records if each.kind == message.SRV]
        found = [self._records(target, message.A) or [] for target in dict.fromkeys(targets)]
        return tuple(record for listed in found for record in listed)

    def _reverse(self, query: Query) -> Answer | None:
        ip = ".".join(reversed(query.name.removesuffix(_REVERSE).split(".")))
        known = self._pointers.get(ip)
        if not known:
            return None
        if query.kind not in (message.PTR, message.ANY):
            return Answer(message.NO_ERROR, authority=(self._authority(),))
        records = []
        for (namespace, service), host in sorted(known.items()):
            target = ".".join(filter(None, (host, service, namespace, "svc", self.domain)))
            records.append(message.pointer(query.name, target, TTL))
        return Answer(message.NO_ERROR, tuple(records))

    def _authority(self) -> Record:
        server, keeper = message.write_name(f"ns.dns.{self.domain}"), message.write_name(f"hostmaster.{self.domain}")
        return Record(self.domain, message.SOA, server + keeper + struct.pack("!5I", 1, 7200, 1800, 86400, TTL), TTL)

    def _name_server(self) -> Record:
        return Record(self.domain, message.NS, message.write_name(f"ns.dns.{self.domain}"), TTL)


def _addresses(name: str, listed: tuple[str, ...], kind: int) -> list[Record]:
    return [message.address(name, ip, TTL) for ip in listed] if kind in (message.A, message.ANY) else []


def _services(name: str, listed: list[Offered], base: str) -> list[Record]:
    weight = max(1, 100 // len(listed)) if listed else 0
    return [
        message.service(name, each.port, f"{each.host}.{base}" if each.host else base, TTL, weight) for each in listed
    ]


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
