"""Services, Pods and slices, as short as a test can say them."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject

NODES: dict[str, JsonObject] = {
    "n1": {"metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "z1"}}},
    "n2": {"metadata": {"name": "n2"}},
}


def service(ports: list[Json] | None = None, /, **spec: Json) -> JsonObject:
    """A Service `web` that selects `app: web`."""
    return {
        "metadata": {"name": "web", "namespace": "ns", "uid": "u-web", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "selector": {"app": "web"},
            "clusterIP": "10.0.0.1",
            "ipFamilies": ["IPv4"],
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}] if ports is None else ports,
            **spec,
        },
    }


def pod(name: str = "p", ip: str = "10.1.0.1", *, ready: bool = True, ending: bool = False, **spec: Json) -> JsonObject:
    """A Pod that runs on n1."""
    metadata: JsonObject = {"name": name, "namespace": "ns", "uid": f"u-{name}", "labels": {"app": "web"}}
    if ending:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:09Z"
    condition: Json = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:00:05Z"}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "n1", "containers": [], **spec},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]},
    }
