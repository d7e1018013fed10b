"""The variables by which a container is told of Services.

Specification (kubelet getServiceEnvVarMap, pkg/kubelet/envvars, in our words): Services with an address of their own
are told of: `kubernetes` of the namespace `default` always, those of the Pod's namespace where `enableServiceLinks` is
true, which it is unless it is false. NAME is the Service's name in capitals with underscores for dashes:
- NAME_SERVICE_HOST is the address, NAME_SERVICE_PORT the first port, NAME_SERVICE_PORT_PORTNAME each port with a name;
- NAME_PORT is the first port as PROTOCOL://ADDRESS:PORT; NAME_PORT_NUMBER_PROTOCOL the same of each port, with _PROTO,
  _PORT and _ADDR for its parts.
A Service of the Pod's namespace comes before the one of the same name elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.service import Service

_ALWAYS = ("default", "kubernetes")


def variables(services: Iterable[Service], namespace: str, *, links: bool) -> dict[str, str]:
    """The variables for a Pod of this namespace, by name; `links` is its `enableServiceLinks`."""
    told: dict[str, Service] = {}
    for service in services:
        place = (service.metadata.namespace, service.metadata.name)
        if not service.has_address or not service.spec.ports:
            continue
        if place == _ALWAYS:
            told.setdefault(place[1], service)
        elif links and place[0] == namespace:
            told[place[1]] = service
    found: dict[str, str] = {}
    for name in sorted(told):
        found |= _of(told[name])
    return found


def _of(service: Service) -> dict[str, str]:
    name, address, ports = _variable(service.metadata.name), service.spec.cluster_ip, service.spec.ports or ()
    host = f"[{address}]" if ":" in address else address
    found = {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(ports[0].port)}
    found |= {f"{name}_SERVICE_PORT_{_variable(port.name)}": str(port.port) for port in ports if port.name}
    found[f"{name}_PORT"] = f"{ports[0].protocol.lower()}://{host}:{ports[0].port}"
    for port in ports:
        prefix, protocol = f"{name}_PORT_{port.port}_{port.protocol.upper()}", port.protocol.lower()
        found |= {
            prefix: f"{protocol}://{host}:{port.port}",
            f"{prefix}_PROTO": protocol,
            f"{prefix}_PORT": str(port.port),
            f"{prefix}_ADDR": address,
        }
    return found


def _variable(name: str) -> str:
    return name.replace("-", "_").upper()
