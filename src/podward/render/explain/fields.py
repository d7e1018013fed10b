"""Which places of which stage make up which row of `explain`, in the order of the rows.

A row stands for one question ("which groups?"). Each stage answers it at a place of its own result; some stages at
several. Places not listed here (names, arguments, annotations) decide nothing about security and are in the JSON only.
"""

from __future__ import annotations

from collections.abc import Callable
from posixpath import normpath

from msgspec import Struct

from podward.decision import Assignment, Decision, Origin, Unknown, Value
from podward.path import Key
from podward.render.explain import forms

Segments = tuple[str | int | Key, ...]
Form = Callable[[Value], str]

_ORDER = (
    ("SCC", "admission"),
    ("run as non-root", "identity"),
    ("non-root check", "identity"),
    ("user", "identity"),
    ("group", "identity"),
    ("groups policy", "identity"),
    ("groups", "identity"),
    ("uid map", "identity"),
    ("gid map", "identity"),
    ("privileged", "privileges"),
    ("no_new_privs", "privileges"),
    ("caps asked for", "privileges"),
    ("caps effective", "privileges"),
    ("caps permitted", "privileges"),
    ("caps inheritable", "privileges"),
    ("caps bounding", "privileges"),
    ("caps ambient", "privileges"),
    ("seccomp", "confinement"),
    ("AppArmor", "confinement"),
    ("SELinux", "confinement"),
    ("LSM label", "confinement"),
    ("masked paths", "confinement"),
    ("read-only paths", "confinement"),
    ("namespaces", "isolation"),
    ("sysctl", "isolation"),
    ("devices", "isolation"),
    ("read-only root", "files"),
    ("volume", "files"),
    ("mount", "files"),
    ("mounts", "files"),
    ("propagation", "files"),
    ("oom_score_adj", "limits"),
    ("rlimits", "limits"),
)
_RANKS = {name: index for index, (name, _) in enumerate(_ORDER)}
_TOPICS = dict(_ORDER)
_FAMILIES = ("sysctl ", "volume ", "mount ")
"""Rows of which there is one for each thing: the name goes on with the thing's."""


class Place(Struct, frozen=True, gc=False):
    """Where a stage answers a row's question, and how its values read; `between` joins the items of a list."""

    row: str
    segments: Segments
    form: Form = forms.plain
    between: str = " "
    named: bool = False
    """Whether the value's own field name is told (`ipc=POD`)."""

    def text(self, assignment: Assignment) -> str:
        """One assignment's value as text."""
        value = assignment.value
        text = forms.UNKNOWN if isinstance(value, Unknown) else self.form(value)
        last = assignment.path.segments[-1]
        return f"{last}={text}" if self.named and isinstance(last, str) else text

    def joined(self, texts: tuple[str, ...]) -> str:
        """The whole value: empty items of a list are left out; mounts are sorted, as the kernel stage lists them."""
        listed = sorted(texts) if self.row == "mounts" else texts
        return self.between.join(text for text in listed if text) or "none"


_CARRIED = Key("podward.dev/selinux-label")
"""The annotation of the runtime spec with a label that this kernel cannot enforce."""


def _places() -> dict[str, dict[Segments, Place]]:
    """By stage, by place; what lies below a place belongs to it."""
    found: dict[str, dict[Segments, Place]] = {}

    def add(row: str, form: Form = forms.plain, *, named: bool = False, between: str = " ", **stages: str) -> None:
        for stage, dotted in stages.items():
            for one in dotted.split():
                segments: Segments = tuple(one.split("."))
                found.setdefault(stage, {})[segments] = Place(row, segments, form, between, named)

    add("run as non-root", effective="securityContext.runAsNonRoot")
    add("non-root check", effective="verifyRunAsNonRoot")
    add(
        "user",
        forms.ids,
        effective="runAsUser runAsUsername",
        cri="securityContext.runAsUser securityContext.runAsUsername",
        oci="process.user.uid",
        kernel="uid",
    )
    add(
        "group",
        forms.ids,
        effective="runAsGroup",
        cri="securityContext.runAsGroup",
        oci="process.user.gid",
        kernel="gid",
    )
    add(
        "groups",
        effective="supplementalGroups",
        cri="securityContext.supplementalGroups",
        oci="process.user.additionalGids",
        kernel="groups",
    )
    add("groups policy", effective="supplementalGroupsPolicy", cri="securityContext.supplementalGroupsPolicy")
    add(
        "uid map",
        forms.id_map,
        between=", ",
        effective="namespaceOptions.usernsOptions",
        cri="securityContext.namespaceOptions.usernsOptions",
        oci="linux.uidMappings",
        kernel="uid_map",
    )
    add("gid map", forms.id_map, between=", ", oci="linux.gidMappings", kernel="gid_map")
    add("privileged", effective="securityContext.privileged", cri="securityContext.privileged")
    add(
        "no_new_privs",
        effective="noNewPrivs",
        cri="securityContext.noNewPrivs",
        oci="process.noNewPrivileges",
        kernel="no_new_privs",
    )
    add(
        "caps asked for",
        forms.requested,
        effective="securityContext.capabilities",
        cri="securityContext.capabilities",
    )
    for name in ("effective", "permitted", "inheritable", "bounding", "ambient"):
        add(f"caps {name}", forms.capabilities, oci=f"process.capabilities.{name}", kernel=f"cap_{name}")
    add(
        "seccomp",
        forms.seccomp,
        effective="seccomp",
        cri="securityContext.seccomp",
        oci="linux.seccomp",
        kernel="seccomp",
    )
    add(
        "AppArmor",
        forms.profile,
        effective="apparmor apparmorProfile",
        cri="securityContext.apparmor securityContext.apparmorProfile",
        oci="process.apparmorProfile",
    )
    add(
        "SELinux",
        forms.label,
        effective="securityContext.seLinuxOptions",
        cri="securityContext.selinuxOptions",
        oci="process.selinuxLabel",
    )
    carried: Segments = ("annotations", _CARRIED)
    found["oci"][carried] = Place("SELinux", carried, forms.unenforced)
    add("LSM label", kernel="label")
    add(
        "masked paths",
        effective="maskedPaths",
        cri="securityContext.maskedPaths",
        oci="linux.maskedPaths",
        kernel="masked",
    )
    add(
        "read-only paths",
        effective="readonlyPaths",
        cri="securityContext.readonlyPaths",
        oci="linux.readonlyPaths",
        kernel="readonly_paths",
    )
    options = ["network", "pid", "ipc"]
    add(
        "namespaces",
        named=True,
        effective=" ".join(f"namespaceOptions.{name}" for name in options),
        cri=" ".join(f"securityContext.namespaceOptions.{name}" for name in options),
    )
    add("namespaces", forms.namespace, oci="linux.namespaces")
    add("namespaces", forms.shared, kernel="host_namespaces")
    add("devices", forms.device, oci="linux.devices")
    add(
        "read-only root",
        effective="securityContext.readOnlyRootFilesystem",
        cri="securityContext.readonlyRootfs",
        oci="root.readonly",
        kernel="root_readonly",
    )
    add("propagation", oci="linux.rootfsPropagation")
    add("oom_score_adj", cri="resources.oomScoreAdj", oci="process.oomScoreAdj", kernel="oom_score_adj")
    add("rlimits", forms.rlimit, oci="process.rlimits")
    return found


_ADMITTED: dict[str, tuple[str, Form]] = {
    "runAsNonRoot": ("run as non-root", forms.plain),
    "runAsUser": ("user", forms.ids),
    "runAsGroup": ("group", forms.ids),
    "fsGroup": ("groups", forms.plain),
    "supplementalGroups": ("groups", forms.plain),
    "allowPrivilegeEscalation": ("no_new_privs", forms.escalation),
    "add": ("caps asked for", forms.added),
    "drop": ("caps asked for", forms.dropped),
    "capabilities": ("caps asked for", forms.requested),
    "seccompProfile": ("seccomp", forms.profile),
    "appArmorProfile": ("AppArmor", forms.profile),
    "level": ("SELinux", forms.level),
    "seLinuxOptions": ("SELinux", forms.label),
    "readOnlyRootFilesystem": ("read-only root", forms.plain),
}
"""Fields of a security context that admission sets, each with its row."""
_SCC = "openshift.io/scc"
_PLACES = _places()
_MOUNTING = frozenset(("cri", "oci", "kernel"))


def rank(row: str) -> tuple[int, str]:
    """The row's place in the order."""
    return _RANKS[_family(row)], row


def topic(row: str) -> str:
    """What the row is about."""
    return _TOPICS[_family(row)]


def sort(stage: str, decision: Decision) -> list[tuple[Place, list[Assignment]]]:
    """The stage's assignments by row, the rows' places in the order of the stage; a later value replaces an earlier."""
    known = _PLACES.get(stage, {})
    found: dict[str, tuple[Place, dict[Segments, Assignment]]] = {}
    for assignment in decision.assignments:
        place = _place(stage, assignment, known)
        if place is not None:
            kept = found.setdefault(place.row, (place, {}))[1]
            segments = assignment.path.segments
            if segments == place.segments:  # the whole: what was said of its parts before is gone
                for inside in [s for s in kept if s[: len(segments)] == segments]:
                    del kept[inside]
            kept[segments] = assignment
    return [(place, list(kept.values())) for place, kept in found.values()]


def _place(stage: str, assignment: Assignment, known: dict[Segments, Place]) -> Place | None:
    segments = assignment.path.segments
    if segments[0] == "mounts" and stage in _MOUNTING:
        return _mount(assignment)
    if stage == "sandbox" and segments[0] == "sysctls":
        return Place(f"sysctl {_plain(segments[-1])}", segments)
    if stage == "volumes":
        return _volume(segments)
    if stage == "admission":
        return _admitted(segments)
    for length in range(1, min(len(segments), 3) + 1):
        place = known.get(segments[:length])
        if place is not None:
            return place
    return None


def _mount(assignment: Assignment) -> Place | None:
    """A mount that somebody wrote has a row of its own; the runtime's own mounts share one."""
    where = forms.destination(assignment.value)
    if not where:
        return None
    if assignment.source.origin is Origin.MANIFEST:
        return Place(f"mount {normpath(where)}", assignment.path.segments, forms.mount_flags)
    return Place("mounts", ("mounts",), forms.mount)


def _admitted(segments: Segments) -> Place | None:
    """What admission sets stands in the manifest, at any depth of it: the last field that has a row counts."""
    if segments[-1] == Key(_SCC):
        return Place("SCC", segments)
    for segment in reversed(segments if "securityContext" in segments else ()):
        row, form = _ADMITTED.get(segment, ("", forms.plain)) if isinstance(segment, str) else ("", forms.plain)
        if row:
            return Place(row, segments, form)
    return None


def _volume(segments: Segments) -> Place | None:
    """`spec.volumes[0].emptyDir.medium`: the row is about volumes[0]."""
    if "volumes" not in segments:
        return None
    at = segments.index("volumes")
    if len(segments) <= at + 3:
        return None
    return Place(f"volume [{segments[at + 1]}] {_plain(segments[at + 2])}", segments[: at + 3], named=True)


def _family(row: str) -> str:
    return next((family.strip() for family in _FAMILIES if row.startswith(family)), row)


def _plain(segment: str | int | Key) -> str:
    return segment.name if isinstance(segment, Key) else str(segment)
