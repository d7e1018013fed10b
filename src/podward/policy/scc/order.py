"""In which order SCCs are tried.

Specification: OpenShift apiserver-library-go, pkg/securitycontextconstraints/util/sort:
- the higher priority comes first, none is 0;
- then the more restrictive one: fewer points;
- then the name, byte by byte.

Points are made so that one permission outweighs everything below it: privileged 1,600,000; host ports 800,000; host
network 400,000; hostPath volumes (or `*`) 200,000, else any volume type that is not secret, configMap, emptyDir,
downwardAPI, projected or none 100,000; the strategies of runAsUser and seLinuxContext each RunAsAny 40,000,
MustRunAsNonRoot 30,000, MustRunAsRange 20,000, MustRunAs 10,000; capabilities between 0 and 9,999: 5,000, 300 more for
each that is added by default, 4,000 more if all are allowed (`*`, or ALL in any case) or else 10 for each that is,
3,000 less if ALL (in any case) must be dropped or else 50 for each that must. Host PID and IPC, groups, seccomp,
privilege escalation and a read-only root count nothing.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.scc import SecurityContextConstraints

_STRATEGIES = {"RunAsAny": 40_000, "MustRunAsNonRoot": 30_000, "MustRunAsRange": 20_000, "MustRunAs": 10_000}
_HARMLESS_VOLUMES = frozenset(("secret", "configMap", "emptyDir", "downwardAPI", "projected", "none"))
_HOST_VOLUMES = frozenset(("hostPath", "*"))
_FORBIDDEN_WORDS = (
    (1_600_000, "forbids privileged"),
    (800_000, "forbids host ports"),
    (400_000, "forbids host networking"),
    (200_000, "forbids host volume mounts"),
    (100_000, "forbids non-trivial volume mounts"),
)
_CAPABILITIES_BASE = 5_000
_CAPABILITIES_MAX = 9_999


class Item(Struct, frozen=True):
    """What one field of an SCC counts: `name` is the field's name in the SCC."""

    name: str
    points: int


class Standing(Struct, frozen=True):
    """An SCC's place among the others: `items` are what its points are made of, without those that count nothing."""

    name: str
    priority: int
    points: int
    items: tuple[Item, ...]

    @property
    def key(self) -> tuple[int, int, str]:
        """Smaller is tried first."""
        return (-self.priority, self.points, self.name)


def standing(scc: SecurityContextConstraints) -> Standing:
    """The SCC's priority and points."""
    items = points(scc)
    return Standing(scc.metadata.name or "", scc.priority or 0, sum(item.points for item in items), items)


def points(scc: SecurityContextConstraints) -> tuple[Item, ...]:
    """What each field counts; their sum are the SCC's points."""
    items = (
        Item("allowPrivilegedContainer", 1_600_000 if scc.allow_privileged_container else 0),
        Item("allowHostPorts", 800_000 if scc.allow_host_ports else 0),
        Item("allowHostNetwork", 400_000 if scc.allow_host_network else 0),
        Item("volumes", _volumes(scc.volumes or ())),
        Item("runAsUser", _STRATEGIES.get(scc.run_as_user.type or "", 0)),
        Item("seLinuxContext", _STRATEGIES.get(scc.se_linux_context.type or "", 0)),
        *_capabilities(scc),
    )
    return tuple(item for item in items if item.points)


def why_before(first: Standing, second: Standing) -> str:
    """Why `first` is tried before `second`, in the words of OpenShift's audit annotation."""
    if first.priority != second.priority:
        return "has higher priority" if first.priority > second.priority else "has lower priority"
    if first.points == second.points:
        return "ordered by name"
    fewer, more = sorted((first.points, second.points))
    for weight, word in _FORBIDDEN_WORDS:
        if fewer < weight <= more:
            return word
        if fewer >= weight:
            fewer, more = fewer - weight, more - weight
    if fewer // 10_000 < more // 10_000:
        return "permits less runAs strategies"
    return "permits less capabilities"


def _volumes(allowed: tuple[str, ...]) -> int:
    if not _HOST_VOLUMES.isdisjoint(allowed):
        return 200_000
    return 0 if _HARMLESS_VOLUMES.issuperset(allowed) else 100_000


def _capabilities(scc: SecurityContextConstraints) -> tuple[Item, ...]:
    added, allowed, dropped = (
        names or ()
        for names in (scc.default_add_capabilities, scc.allowed_capabilities, scc.required_drop_capabilities)
    )
    counted = (
        Item("capabilities", _CAPABILITIES_BASE),
        Item("defaultAddCapabilities", 300 * len(added)),
        Item("allowedCapabilities", 4_000 if "*" in allowed or _has_all(allowed) else 10 * len(allowed)),
        Item("requiredDropCapabilities", -3_000 if _has_all(dropped) else -50 * len(dropped)),
    )
    total = sum(item.points for item in counted)
    clamped = min(max(total, 0), _CAPABILITIES_MAX)
    return (*counted, Item("capabilities limited to 0-9,999", clamped - total))


def _has_all(names: tuple[str, ...]) -> bool:
    return any(name.upper() == "ALL" for name in names)
