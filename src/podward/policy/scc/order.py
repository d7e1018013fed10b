"""The order in which SCCs are tried.

Specification: OpenShift apiserver-library-go, pkg/securitycontextconstraints/util/sort (July 2026). SCCs are sorted
- by priority, the highest first; no priority is 0;
- then by points, the fewest first, because that SCC is more restrictive;
- then by name, byte by byte.

The permissions of an SCC count points, so that each one counts more than all permissions after it together:
- privileged containers 1,600,000; host ports 800,000; host network 400,000;
- volumes: 200,000 if hostPath or `*` is allowed; else 100,000 if any type other than secret, configMap, emptyDir,
  downwardAPI, projected and none is allowed;
- the strategies of runAsUser and seLinuxContext, each: RunAsAny 40,000, MustRunAsNonRoot 30,000, MustRunAsRange 20,000,
  MustRunAs 10,000;
- capabilities, limited to 0..9,999: 5,000, plus 300 for each default addition, plus 4,000 if all are allowed (`*`, or
  ALL in any case) or else 10 for each allowed one, minus 3,000 if ALL (in any case) must be dropped or else 50 for each
  required drop.
Host PID and IPC, groups, seccomp, privilege escalation and a read-only root count nothing.
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


class FieldPoints(Struct, frozen=True):
    """The points of one field of an SCC; `name` is the field's name in the SCC."""

    name: str
    points: int


class SccRank(Struct, frozen=True):
    """The facts that decide an SCC's place in the order; `items` are the fields that count points."""

    name: str
    priority: int
    points: int
    items: tuple[FieldPoints, ...]

    @property
    def key(self) -> tuple[int, int, str]:
        """The key to sort by: the SCC with the smallest is tried first."""
        return (-self.priority, self.points, self.name)


def rank(scc: SecurityContextConstraints) -> SccRank:
    """The SCC's rank, from its priority and points."""
    items = points(scc)
    return SccRank(scc.metadata.name or "", scc.priority or 0, sum(item.points for item in items), items)


def points(scc: SecurityContextConstraints) -> tuple[FieldPoints, ...]:
    """The points of each field that counts any; their sum is the SCC's points."""
    items = (
        FieldPoints("allowPrivilegedContainer", 1_600_000 if scc.allow_privileged_container else 0),
        FieldPoints("allowHostPorts", 800_000 if scc.allow_host_ports else 0),
        FieldPoints("allowHostNetwork", 400_000 if scc.allow_host_network else 0),
        FieldPoints("volumes", _volumes(scc.volumes or ())),
        FieldPoints("runAsUser", _STRATEGIES.get(scc.run_as_user.type or "", 0)),
        FieldPoints("seLinuxContext", _STRATEGIES.get(scc.se_linux_context.type or "", 0)),
        *_capabilities(scc),
    )
    return tuple(item for item in items if item.points)


def why_before(first: SccRank, second: SccRank) -> str:
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


def _capabilities(scc: SecurityContextConstraints) -> tuple[FieldPoints, ...]:
    added, allowed, dropped = (
        names or ()
        for names in (scc.default_add_capabilities, scc.allowed_capabilities, scc.required_drop_capabilities)
    )
    counted = (
        FieldPoints("capabilities", _CAPABILITIES_BASE),
        FieldPoints("defaultAddCapabilities", 300 * len(added)),
        FieldPoints("allowedCapabilities", 4_000 if "*" in allowed or _has_all(allowed) else 10 * len(allowed)),
        FieldPoints("requiredDropCapabilities", -3_000 if _has_all(dropped) else -50 * len(dropped)),
    )
    total = sum(item.points for item in counted)
    clamped = min(max(total, 0), _CAPABILITIES_MAX)
    return (*counted, FieldPoints("capabilities limited to 0-9,999", clamped - total))


def _has_all(names: tuple[str, ...]) -> bool:
    return any(name.upper() == "ALL" for name in names)
