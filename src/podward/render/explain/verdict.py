"""The verdict that opens an explanation: in one line who a process runs as and what it may, or why it is refused.

Everything is read from the stages' Decisions. What is unknown is called so, with the image that would tell it.
"""

from __future__ import annotations

from podward.api.capability import NAMES, names
from podward.api.cri import Mount, SecurityProfile
from podward.api.explanation import ContainerExplanation, PodExplanation, Stage
from podward.decision import Unknown, Value
from podward.path import Path, path

BETWEEN = " · "
REFUSED = "refused: "
_FEW = 3
"""The most capabilities that are named, and the most paths of the host."""
_MADE = "/run/podward/"
"""Where what is made for a Pod lies: it is the host's, but no hostPath."""
_ORDINARY = frozenset(("cgroup", "user"))
"""Namespaces that a Pod shares with the host unless it asks for its own."""
_ALL_IDS = (1 << 32) - 1


def of_pod(pod: PodExplanation) -> str:
    """Why the whole Pod is refused; empty where it is not."""
    refused = [(stage.name, violation.reason) for stage in pod.stages for violation in stage.decision.violations]
    if not refused:
        return ""
    stage, reason = refused[0]
    considered = pod.admission.considered if pod.admission else ()
    tried = [each for each in considered if each.violations]
    if stage != "admission" or not tried or any(each.outcome == "chosen" for each in considered):
        return f"{REFUSED}{reason}"
    first = tried[0].violations
    more = f" (and {len(first) - 1} more)" if len(first) > 1 else ""
    return f"{REFUSED}no SCC lets it in; {tried[0].name}: {first[0].path}: {first[0].reason}{more}"


def of_container(container: ContainerExplanation, pod: PodExplanation) -> str:
    """The verdict about one container."""
    for stage in container.stages:
        for violation in stage.decision.violations:
            return f"{REFUSED}{violation.reason}"
    said = _Said(container)
    sccs = [each.name for each in (pod.admission.considered if pod.admission else ()) if each.outcome == "chosen"]
    parts = [
        said.user(),
        *(f"SCC {name}" for name in sccs),
        *said.privileges(),
        said.seccomp(),
        *_host_paths(container, pod),
        _hints(len(container.hints)),
        _observed(container),
    ]
    return BETWEEN.join(part for part in parts if part)


class _Said:
    """What the stages say of one container; a later stage and a later assignment count."""

    def __init__(self, container: ContainerExplanation) -> None:
        self._stages = {stage.name: stage for stage in container.stages}
        self._unknowns = container.unknowns

    def _value(self, stage: str, *place: str) -> Value:
        found = self._stages[stage].decision.assignment(path(*place)) if stage in self._stages else None
        return found.value if found is not None else None

    def user(self) -> str:
        """Who it runs as, with its groups."""
        uid, gid = self._id("uid"), self._id("gid")
        if not uid:
            return ""
        text = f"runs as {uid}:{gid}" if gid else f"runs as {uid}"
        groups = self._groups()
        if groups not in ([], [gid]):
            text += f", groups {' '.join(groups)}"
        if self._own_ids():
            text += ", in a user namespace of its own"
        return f"{text} ({self._unknowns[0].why})" if self._unknowns and "unknown" in (uid, gid, *groups) else text

    def _id(self, name: str) -> str:
        """The id as the container sees it; the effective one too where the entry file changes it."""
        inside = self._value("oci", "process", "user", name)
        seen = self._value("kernel", name)
        text = "unknown" if isinstance(inside, Unknown) else "" if inside is None else str(inside)
        if isinstance(seen, tuple) and len(seen) == 4 and seen[0] != seen[1]:
            return f"{text} (effective {self._inside(seen[1], name)})"
        return text

    def _inside(self, number: Value, name: str) -> Value:
        for line in self._map(name):
            inside, outside, count = line
            if isinstance(number, int) and outside <= number < outside + count:
                return inside + number - outside
        return number

    def _map(self, name: str) -> tuple[tuple[int, int, int], ...]:
        """The lines of its uid or gid map: inside, outside, how many."""
        mapped = self._value("kernel", f"{name}_map")
        return mapped if isinstance(mapped, tuple) else ()

    def _groups(self) -> list[str]:
        known: list[int] = []
        unknown = False
        stage = self._stages.get("oci")
        for made in stage.decision.assignments if stage is not None else ():
            if made.path.segments[:3] == ("process", "user", "additionalGids"):
                unknown = unknown or isinstance(made.value, Unknown)
                known += [made.value] if isinstance(made.value, int) else []
        return [*map(str, sorted(known)), *(("unknown",) if unknown else ())]

    def _own_ids(self) -> bool:
        mapped = self._map("uid")
        return bool(mapped) and mapped[0] != (0, 0, _ALL_IDS)

    def privileges(self) -> list[str]:
        """Capabilities, and what it shares with the host."""
        shared = self._value("kernel", "host_namespaces")
        beyond = [name for name in shared if name not in _ORDINARY] if isinstance(shared, tuple) else []
        privileged = self._value("effective", "securityContext", "privileged") is True
        return [
            "privileged" if privileged else "",
            self._capabilities(),
            f"in the host's {' '.join(map(str, beyond))} namespace{'s' if len(beyond) > 1 else ''}" if beyond else "",
        ]

    def _capabilities(self) -> str:
        permitted, bounding = self._value("kernel", "cap_permitted"), self._value("kernel", "cap_bounding")
        if isinstance(permitted, int):
            return _named(permitted)
        return f"at most {_named(bounding)}" if isinstance(bounding, int) else ""

    def seccomp(self) -> str:
        """The profile's name, if there is a filter."""
        mode, asked = self._value("kernel", "seccomp"), self._value("effective", "seccomp")
        if not mode or not isinstance(asked, SecurityProfile):
            return "seccomp unconfined" if mode == 0 else ""
        return f"seccomp {asked.profile_type} {asked.localhost_ref}".rstrip()


def _named(bits: int) -> str:
    listed = [name.removeprefix("CAP_") for name in names(bits)]
    if len(listed) == len(NAMES):
        return "all capabilities"
    if not listed:
        return "no capabilities"
    word = "capability" if len(listed) == 1 else "capabilities"
    return f"{word} {' '.join(listed)}" if len(listed) <= _FEW else f"{len(listed)} {word}"


def _host_paths(container: ContainerExplanation, pod: PodExplanation) -> list[str]:
    """The directories of the host that it sees, with whether it may write to them."""
    roots = [value for place, value in _assigned(pod.stages, "volumes") if place.segments[-2:] == ("hostPath", "path")]
    found: dict[str, bool] = {}
    for _, mount in _assigned(container.stages, "cri"):
        if not isinstance(mount, Mount) or mount.host_path.startswith(_MADE):
            continue
        if any(_below(mount.host_path, str(root)) for root in roots):
            found[mount.host_path] = found.get(mount.host_path, True) and mount.readonly
    listed = [f"{name} (read-only)" if readonly else name for name, readonly in found.items()]
    more = [f"and {len(listed) - _FEW} more"] if len(listed) > _FEW else []
    return [f"the host's {' '.join([*listed[:_FEW], *more])}"] if listed else []


def _below(name: str, root: str) -> bool:
    return name == root or name.startswith(f"{root.rstrip('/')}/")


def _assigned(stages: tuple[Stage, ...], name: str) -> list[tuple[Path, Value]]:
    return [(made.path, made.value) for stage in stages if stage.name == name for made in stage.decision.assignments]


def _hints(number: int) -> str:
    return "" if not number else "1 hint" if number == 1 else f"{number} hints"


def _observed(container: ContainerExplanation) -> str:
    if container.observed is None or container.predicted is None:
        return ""
    return "observed as predicted" if container.observed == container.predicted else "observed other than predicted"
