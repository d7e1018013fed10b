"""hostNetwork, hostPID, hostIPC and hostPorts: what a Pod may share with its node.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go), in our words: each is refused unless
the SCC allows it. The three flags are refused once for the Pod and once more for each container. Every hostPort above 0
of every container is refused once for each container, so with n containers n times.

Ours, where OpenShift prints on and on: of a Pod with so many containers and ports that there would be more than
`MOST_PORT_ERRORS` of those, each container names only the first few. The Pod is refused all the same.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.decision import Decision
from podward.path import Path, path
from podward.policy.scc.subject import SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

NETWORK = "hostNetwork"
PID = "hostPID"
IPC = "hostIPC"
PORTS = "hostPorts"
MOST_PORT_ERRORS = 10_000
"""For one Pod and one SCC: a manifest of some kilobytes must not cost gigabytes."""


class SharingRule:
    """A flag of the Pod that the SCC does not allow."""

    __slots__ = ("_name", "_place", "_source", "_text", "_voice")

    def __init__(self, scc: str, name: str, allowing: str, text: str) -> None:
        self._voice = SccErrors(scc, name)
        self._name = name
        self._place = path("spec", name)
        self._source = self._voice.source(allowing)
        self._text = f"true: {text} is not allowed to be used"

    def pod(self, subject: SccPod) -> Decision:
        """The Pod's flag."""
        return self._refused(".spec") if self._shared(subject.spec) else NOTHING

    def container(self, subject: SccPod, member: SccContainer) -> Decision:
        """The Pod's flag once more, in a container's name."""
        return self._refused(member.place.printed) if self._shared(subject.spec) else NOTHING

    def _shared(self, spec: PodSpec) -> bool:
        if self._name == NETWORK:
            return spec.host_network is True
        return (spec.host_pid if self._name == PID else spec.host_ipc) is True

    def _refused(self, printed: str) -> Decision:
        printed = f"{printed}.{self._name}"
        return refused(self._voice.invalid(printed, self._place, True, self._text, self._source))


class PortRule:
    """Ports of the node, which the SCC does not allow."""

    __slots__ = ("_source", "_voice")

    def __init__(self, scc: str) -> None:
        self._voice = SccErrors(scc, PORTS)
        self._source = self._voice.source("allowHostPorts")

    def container(self, subject: SccPod, member: SccContainer) -> Decision:
        """The ports of all containers, in this container's name."""
        asked = subject.host_ports
        if not asked:
            return NOTHING
        most = max(1, MOST_PORT_ERRORS // len(subject.members))
        found: list[SccViolation] = []
        for other, index, number in asked[:most]:
            printed = f"{member.place.printed}{other.printed}.hostPort"
            place = Path((*other.path.segments, "ports", index, "hostPort"))
            text = f"{number}: Host ports are not allowed to be used"
            found.append(self._voice.invalid(printed, place, number, text, self._source))
        return refused(*found)


def network_rule(scc: str) -> SharingRule:
    """The node's network is not allowed."""
    return SharingRule(scc, NETWORK, "allowHostNetwork", "Host network")


def pid_rule(scc: str) -> SharingRule:
    """The node's processes are not allowed."""
    return SharingRule(scc, PID, "allowHostPID", "Host PID")


def ipc_rule(scc: str) -> SharingRule:
    """The node's IPC objects are not allowed."""
    return SharingRule(scc, IPC, "allowHostIPC", "Host IPC")
