"""Where a Service in front of a webhook leads."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.server.webhooks.services import in_slices


def _slice(family: str, port: int, *endpoints: Json) -> JsonObject:
    return {
        "addressType": family, "ports": [{"name": "https", "port": port}, {"name": "other", "port": 1}],
        "endpoints": list(endpoints),
    }  # fmt: skip


def test_only_what_is_ready_is_reached_and_the_first_family_of_the_service_first() -> None:
    gone: Json = {"addresses": ["10.0.0.2"], "conditions": {"ready": False}}
    there: Json = {"addresses": ["10.0.0.3", "10.0.0.4"]}
    six: Json = {"addresses": ["fd00::1"], "conditions": {"ready": True}}
    slices = [_slice("IPv6", 8443, six), _slice("IPv4", 9443, gone, there)]
    assert in_slices(slices, "https", ["IPv4"]) == [("10.0.0.3", 9443)]
    assert in_slices(slices, "https", ["IPv6"]) == [("fd00::1", 8443)]
    assert in_slices([_slice("IPv4", 1, gone)], "https", ["IPv4"]) == []
    assert in_slices(slices, "unnamed", ["IPv4"]) == []
