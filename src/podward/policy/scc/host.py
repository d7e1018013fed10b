"""hostNetwork, hostPID, hostIPC, hostPorts and hostUsers: what a Pod may share with its node.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go, July 2026), in our words:
- hostNetwork, hostPID, hostIPC: each is refused unless the SCC allows it, once for the Pod and once for each container.
- hostPorts: unless the SCC allows them, every hostPort above 0 of every container is refused once for each container,
  so with n containers n times.
- hostUsers: under the userNamespaceLevel RequirePodLevel `spec.hostUsers` must be set to false. Other levels demand
  nothing, and no level sets a value.

Unlike OpenShift, this rule limits the errors about ports: for a Pod that would have more than `MOST_PORT_ERRORS` of
them, each container names only the first ports. The Pod is refused in any case.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.decision import Decision
from podward.path import Path, path
from podward.policy.scc.scc_pod import SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

NETWORK = "hostNetwork"
PID = "hostPID"
IPC = "hostIPC"
PORTS = "hostPorts"
USERS = "hostUsers"
REQUIRE_USER_NAMESPACE = "RequirePodLevel"
"""The userNamespaceLevel that demands a user namespace."""
MOST_PORT_ERRORS = 10_000
"""The limit for one Pod and one SCC: a manifest of some kilobytes must not cost gigabytes of memory."""


class SharingRule:
    """The rule of an SCC that does not allow one of hostNetwork, hostPID and hostIPC."""

    __slots__ = ("_errors", "_name", "_place", "_source", "_text")

    def __init__(self, scc: str, name: str, allowing: str, text: str) -> None:
        self._errors = SccErrors(scc, name)
        self._name = name
        self._place = path("spec", name)
        self._source = self._errors.source(allowing)
        self._text = f"true: {text} is not allowed to be used"

    def decide_pod(self, pod: SccPod) -> Decision:
        """A violation if the Pod sets the flag."""
        return self._refused(".spec") if self._shared(pod.spec) else NOTHING

    def decide_container(self, pod: SccPod, container: SccContainer) -> Decision:
        """The violation of the Pod's flag, repeated with the path of a container."""
        return self._refused(container.place.printed) if self._shared(pod.spec) else NOTHING

    def _shared(self, spec: PodSpec) -> bool:
        if self._name == NETWORK:
            return spec.host_network is True
        return (spec.host_pid if self._name == PID else spec.host_ipc) is True

    def _refused(self, printed: str) -> Decision:
        printed = f"{printed}.{self._name}"
        return refused(self._errors.invalid(printed, self._place, True, self._text, self._source))


class UserNamespaceRule:
    """The rule of an SCC whose userNamespaceLevel is RequirePodLevel."""

    __slots__ = ("_errors", "_source")

    def __init__(self, scc: str) -> None:
        self._errors = SccErrors(scc, USERS)
        self._source = self._errors.source("userNamespaceLevel")

    def decide_pod(self, pod: SccPod) -> Decision:
        """A violation unless the Pod's hostUsers is false."""
        host_users = pod.spec.host_users
        if host_users is False:
            return NOTHING
        text = f"{'null' if host_users is None else 'true'}: Host Users must be set to false"
        return refused(self._errors.invalid(f".spec.{USERS}", path("spec", USERS), host_users, text, self._source))


class PortRule:
    """The rule of an SCC that does not allow ports of the node."""

    __slots__ = ("_errors", "_source")

    def __init__(self, scc: str) -> None:
        self._errors = SccErrors(scc, PORTS)
        self._source = self._errors.source("allowHostPorts")

    def decide_container(self, pod: SccPod, container: SccContainer) -> Decision:
        """A violation for each hostPort of all containers, with this container's path."""
        host_ports = pod.host_ports
        if not host_ports:
            return NOTHING
        most = max(1, MOST_PORT_ERRORS // len(pod.containers))
        found: list[SccViolation] = []
        for place_of_port, index, number in host_ports[:most]:
            printed = f"{container.place.printed}{place_of_port.printed}.hostPort"
            place = Path((*place_of_port.path.segments, "ports", index, "hostPort"))
            text = f"{number}: Host ports are not allowed to be used"
            found.append(self._errors.invalid(printed, place, number, text, self._source))
        return refused(*found)


def network_rule(scc: str) -> SharingRule:
    """The rule of an SCC that does not allow hostNetwork."""
    return SharingRule(scc, NETWORK, "allowHostNetwork", "Host network")


def pid_rule(scc: str) -> SharingRule:
    """The rule of an SCC that does not allow hostPID."""
    return SharingRule(scc, PID, "allowHostPID", "Host PID")


def ipc_rule(scc: str) -> SharingRule:
    """The rule of an SCC that does not allow hostIPC."""
    return SharingRule(scc, IPC, "allowHostIPC", "Host IPC")
