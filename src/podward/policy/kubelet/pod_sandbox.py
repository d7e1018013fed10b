"""Whether a Pod needs a new sandbox, and which addresses it has.

Specification (kubelet, `PodSandboxChanged` and `getPodIPs`, in our words): a new one is made where there is none, where
more than one is ready, where the newest is not ready, where it has the network of another kind than the Pod asks for,
or where it should have an address and has none. Its attempt is one more than that of the newest. The addresses of a Pod
are those of the newest sandbox that is ready: one of IPv4 and one of IPv6, that of the node's own family first.
"""

from __future__ import annotations

import ipaddress

from msgspec import Struct

from podward.api.core import PodSpec
from podward.api.cri_status import PodSandboxStatus
from podward.api.pod_seen import READY, PodSeen


class SandboxNeed(Struct, frozen=True):
    """Whether a sandbox must be made, with which attempt, and the one that is there: its id, or ""."""

    new: bool
    attempt: int = 0
    id: str = ""


def need(spec: PodSpec, sandboxes: tuple[PodSandboxStatus, ...]) -> SandboxNeed:
    """What the Pod needs; `sandboxes` has the newest first."""
    if not sandboxes:
        return SandboxNeed(new=True)
    newest, following = sandboxes[0], sandboxes[0].metadata.attempt + 1
    if sum(sandbox.state == READY for sandbox in sandboxes) > 1 or newest.state != READY:
        return SandboxNeed(True, following, newest.id)
    if _network(newest) != ("NODE" if spec.host_network else "POD"):
        return SandboxNeed(True, following)
    if not spec.host_network and newest.network is not None and not newest.network.ip:
        return SandboxNeed(True, following, newest.id)
    return SandboxNeed(False, newest.metadata.attempt, newest.id)


def _network(sandbox: PodSandboxStatus) -> str:
    linux = sandbox.linux
    options = linux.namespaces.options if linux is not None and linux.namespaces is not None else None
    return options.network if options is not None else "POD"


def addresses(seen: PodSeen) -> tuple[str, ...]:
    """The addresses of the newest sandbox, if it is ready; none on the node's network."""
    newest = seen.sandboxes[0] if seen.sandboxes else None
    if newest is None or newest.state != READY or newest.network is None:
        return ()
    listed = (newest.network.ip, *(more.ip for more in newest.network.additional_ips))
    known = [address for text in listed if (address := _address(text)) is not None]
    own = _address(seen.host_ips[0]) if seen.host_ips else None
    versions = (6, 4) if own is not None and own.version == 6 else (4, 6)
    firsts = (next((address for address in known if address.version == version), None) for version in versions)
    return tuple(str(address) for address in firsts if address is not None)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
