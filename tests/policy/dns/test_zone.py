"""What the cluster's DNS answers about Services, endpoints and Pods, and what it leaves to others."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from proxied_services import endpoint, endpoints, service

from podward.api.json_value import Json, JsonObject
from podward.api.service import service_of, slice_of
from podward.policy.dns import message
from podward.policy.dns.message import Record
from podward.policy.dns.names import names_of
from podward.policy.dns.zone import Zone

KINDS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
DNS_PORTS: Json = [
    {"name": "dns", "port": 53, "protocol": "UDP"},
    {"name": "", "port": 9153, "protocol": "TCP"},
]
WEB_0 = endpoint("10.9.0.2", hostname="web-0")
PLAIN = endpoint("10.9.0.3")
WAITING = endpoint("10.9.0.4", hostname="web-2", conditions={"ready": False})


def known(zone: Zone, of: JsonObject, name: str, *slices: JsonObject) -> None:
    viewed = service_of(of)
    assert viewed is not None
    zone.put("shop", name, names_of(viewed, [each for each in map(slice_of, slices) if each is not None]))


@pytest.fixture(scope="module")
def zone() -> Zone:
    made = Zone("cluster.local", "10.0.0.10")
    known(made, service(), "web", endpoints(PLAIN))
    known(made, service(clusterIP="10.0.0.53", ports=DNS_PORTS), "dns")
    known(made, service(clusterIP="None"), "db", endpoints(WEB_0, PLAIN, WAITING))
    known(made, service(clusterIP="None"), "empty", endpoints(WAITING))
    known(made, service(type="ExternalName", clusterIP="", externalName="Other.example."), "other")
    known(made, service(type="ExternalName", clusterIP="", externalName="web.shop.svc.cluster.local"), "inner")
    known(made, service(type="ExternalName", clusterIP="", externalName="loop.shop.svc.cluster.local"), "loop")
    known(made, service(clusterIP="fd00::1"), "six")
    return made


def shown(record: Record) -> str:
    kind = next(name for name, number in KINDS.items() if number == record.kind)
    if kind == "A":
        return f"A {ipaddress.IPv4Address(record.data)}"
    if kind == "SRV":
        _, weight, port = struct.unpack_from("!3H", record.data)
        return f"SRV {weight} {port} {message.read_name(record.data, 6)[0]}"
    if kind == "TXT":
        return f"TXT {record.data[1:].decode()}"
    return f"{kind} {message.read_name(record.data, 0)[0]}"


def asked(zone: Zone, name: str, kind: str) -> str:
    """The answer in words; `elsewhere` where it is not ours."""
    query = message.read_query(message.write_query(1, name, KINDS[kind]))
    answer = zone.answer(query)
    if answer is None:
        return "elsewhere"
    assert bool(answer.records) != bool(answer.authority)
    words = [*map(shown, answer.records), *(["then", answer.further] if answer.further else [])]
    return " ".join(words) or ("nothing" if answer.code == message.NO_ERROR else "no such name")


S = "shop.svc.cluster.local"
ANSWERS = (
    (f"web.{S}", "A", "A 10.0.0.5"),
    ("WEB.Shop.svc.Cluster.LOCAL", "A", "A 10.0.0.5"),
    (f"web.{S}", "AAAA", "nothing"),
    (f"web.{S}", "SRV", f"SRV 100 80 web.{S}"),
    (f"_http._tcp.web.{S}", "SRV", f"SRV 100 80 web.{S}"),
    (f"_http._tcp.web.{S}", "A", "nothing"),
    (f"_tcp.web.{S}", "A", "nothing"),
    (f"_http._udp.web.{S}", "SRV", "no such name"),
    (f"_https._tcp.web.{S}", "SRV", "no such name"),
    (f"_dns._udp.dns.{S}", "SRV", f"SRV 100 53 dns.{S}"),
    (f"_._tcp.dns.{S}", "SRV", "no such name"),
    (f"x.web.{S}", "A", "no such name"),
    (f"10-9-0-3.web.{S}", "A", "no such name"),
    (f"db.{S}", "A", "A 10.9.0.2 A 10.9.0.3"),
    (f"web-0.db.{S}", "A", "A 10.9.0.2"),
    (f"10-9-0-3.db.{S}", "A", "A 10.9.0.3"),
    (f"web-2.db.{S}", "A", "no such name"),
    (f"_http._tcp.db.{S}", "SRV", f"SRV 50 8080 web-0.db.{S} SRV 50 8080 10-9-0-3.db.{S}"),
    (f"web-0.db.{S}", "SRV", f"SRV 100 8080 web-0.db.{S}"),
    (f"empty.{S}", "A", "no such name"),
    (f"six.{S}", "A", "nothing"),
    (f"other.{S}", "A", "CNAME other.example then other.example"),
    (f"other.{S}", "CNAME", "CNAME other.example"),
    (f"inner.{S}", "A", f"CNAME web.{S} A 10.0.0.5"),
    (f"inner.{S}", "AAAA", f"CNAME web.{S}"),
    (f"loop.{S}", "CNAME", f"CNAME loop.{S}"),
    ("5.0.0.10.in-addr.arpa", "PTR", f"PTR web.{S}"),
    ("2.0.9.10.in-addr.arpa", "PTR", f"PTR web-0.db.{S}"),
    ("3.0.9.10.in-addr.arpa", "PTR", f"PTR 10-9-0-3.db.{S}"),
    ("3.0.9.10.in-addr.arpa", "A", "nothing"),
    ("4.0.9.10.in-addr.arpa", "PTR", "elsewhere"),
    ("10-9-0-77.shop.pod.cluster.local", "A", "A 10.9.0.77"),
    ("web-0.shop.pod.cluster.local", "A", "no such name"),
    ("shop.svc.cluster.local", "A", "nothing"),
    ("none.svc.cluster.local", "A", "no such name"),
    ("svc.cluster.local", "A", "nothing"),
    ("nothing.cluster.local", "A", "no such name"),
    ("cluster.local", "NS", "NS ns.dns.cluster.local"),
    ("cluster.local", "SOA", "SOA ns.dns.cluster.local"),
    ("ns.dns.cluster.local", "A", "A 10.0.0.10"),
    ("dns-version.cluster.local", "TXT", "TXT 1.1.0"),
    ("example.org", "A", "elsewhere"),
    ("mycluster.local", "A", "elsewhere"),
    ("web.shop", "A", "elsewhere"),
)


@pytest.mark.parametrize(("name", "kind", "answer"), ANSWERS)
def test_what_is_answered(zone: Zone, name: str, kind: str, answer: str) -> None:
    assert asked(zone, name, kind) == answer


def test_what_srv_records_point_at_comes_along(zone: Zone) -> None:
    answer = zone.answer(message.read_query(message.write_query(1, f"_http._tcp.db.{S}", message.SRV)))

    assert answer is not None
    assert [(each.name, shown(each)) for each in answer.additional] == [
        (f"web-0.db.{S}", "A 10.9.0.2"),
        (f"10-9-0-3.db.{S}", "A 10.9.0.3"),
    ]


def test_a_loop_of_aliases_ends(zone: Zone) -> None:
    assert asked(zone, f"loop.{S}", "A").startswith(f"CNAME loop.{S}")


def test_a_service_that_is_gone_has_no_names() -> None:
    zone = Zone("cluster.local", "10.0.0.10")
    known(zone, service(), "web")
    zone.put("shop", "web", None)

    assert asked(zone, f"web.{S}", "A") == "no such name"
    assert asked(zone, S, "A") == "no such name"
    assert asked(zone, "5.0.0.10.in-addr.arpa", "PTR") == "elsewhere"
