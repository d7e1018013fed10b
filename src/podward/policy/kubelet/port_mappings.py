"""The ports of the node that lead to a Pod's containers, as a kubelet tells them to the runtime.

Specification (kubelet `makePortMappings`, in our words): one for each port of a container. Ours: only those that ask
for a port of the node; a sandbox of the host's network has none of its own.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.cri import PortMapping


def of_pod(spec: PodSpec) -> tuple[PortMapping, ...]:
    """The `port_mappings` of the sandbox message."""
    containers = (*(spec.init_containers or ()), *(spec.containers or ()))
    return tuple(
        PortMapping(port.protocol or "TCP", port.container_port or port.host_port, port.host_port, port.host_ip or "")
        for container in containers
        for port in container.ports or ()
        if port.host_port
    )
