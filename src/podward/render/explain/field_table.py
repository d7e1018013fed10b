"""The table of `explain`'s rows: their order and topics, and the field of each stage's result that answers a row.

A row answers one question ("which groups?"). Each stage answers it in a field of its own result, some stages in several
fields. Fields that are not in this table (names, arguments, annotations) do not decide about security; only the JSON
form has them.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from podward.decision import Assignment, Unknown, Value
from podward.path import Key
from podward.render.explain import value_text

Segments = tuple[str | int | Key, ...]
Form = Callable[[Value], str]

TOPICS = {
    "SCC": "admission",
    "run as non-root": "identity",
    "non-root check": "identity",
    "user": "identity",
    "group": "identity",
    "groups": "identity",
    "groups policy": "identity",
    "uid map": "identity",
    "gid map": "identity",
    "privileged": "privileges",
    "no_new_privs": "privileges",
    "caps asked for": "privileges",
    "caps effective": "privileges",
    "caps permitted": "privileges",
    "caps inheritable": "privileges",
    "caps bounding": "privileges",
    "caps ambient": "privileges",
    "seccomp": "confinement",
    "AppArmor": "confinement",
    "SELinux": "confinement",
    "LSM label": "confinement",
    "masked paths": "confinement",
    "read-only paths": "confinement",
    "namespaces": "isolation",
    "sysctl": "isolation",
    "devices": "isolation",
    "open devices": "isolation",
    "read-only root": "files",
    "volume": "files",
    "mount": "files",
    "mounts": "files",
    "propagation": "files",
    "env": "variables",
    "oom_score_adj": "limits",
    "rlimits": "limits",
}
"""The rows in their order, each with its topic."""
FAMILIES = ("sysctl ", "volume ", "mount ", "env ")
"""Rows of which there is one for each sysctl, volume, mount or variable: the row's name goes on with its name."""


class RowField(Struct, frozen=True, gc=False):
    """A field of a stage's result that answers a row: its place, the form of its values, and how items are joined."""

    row: str
    segments: Segments
    form: Form = value_text.plain
    between: str = " "
    named: bool = False
    """Whether the name of the field is shown (`ipc=POD`)."""

    def text(self, assignment: Assignment) -> str:
        """One assignment's value as text."""
        value = assignment.value
        text = value_text.UNKNOWN if isinstance(value, Unknown) else self.form(value)
        last = assignment.path.segments[-1]
        return f"{last}={text}" if self.named and isinstance(last, str) else text

    def joined(self, texts: tuple[str, ...]) -> str:
        """The whole value. Empty items of a list are left out; mounts are sorted, as the kernel stage lists them."""
        listed = sorted(texts) if self.row == "mounts" else texts
        return self.between.join(text for text in listed if text) or "none"


class _Answer(Struct, frozen=True, gc=False):
    """The fields that answer one row: for each stage, dotted paths that are separated by blanks."""

    row: str
    form: Form = value_text.plain
    between: str = " "
    named: bool = False
    effective: str = ""
    cri: str = ""
    oci: str = ""
    kernel: str = ""


_ANSWERS = (
    _Answer("run as non-root", effective="securityContext.runAsNonRoot"),
    _Answer("non-root check", effective="verifyRunAsNonRoot"),
    _Answer(
        "user",
        value_text.ids,
        effective="runAsUser runAsUsername",
        cri="linux.securityContext.runAsUser linux.securityContext.runAsUsername",
        oci="process.user.uid",
        kernel="uid",
    ),
    _Answer(
        "group",
        value_text.ids,
        effective="runAsGroup",
        cri="linux.securityContext.runAsGroup",
        oci="process.user.gid",
        kernel="gid",
    ),
    _Answer(
        "groups",
        effective="supplementalGroups",
        cri="linux.securityContext.supplementalGroups",
        oci="process.user.additionalGids",
        kernel="groups",
    ),
    _Answer(
        "groups policy",
        effective="supplementalGroupsPolicy",
        cri="linux.securityContext.supplementalGroupsPolicy",
    ),
    _Answer(
        "uid map",
        value_text.id_map,
        between=", ",
        effective="namespaceOptions.usernsOptions",
        cri="linux.securityContext.namespaceOptions.usernsOptions",
        oci="linux.uidMappings",
        kernel="uid_map",
    ),
    _Answer("gid map", value_text.id_map, between=", ", oci="linux.gidMappings", kernel="gid_map"),
    _Answer("privileged", effective="securityContext.privileged", cri="linux.securityContext.privileged"),
    _Answer(
        "no_new_privs",
        effective="noNewPrivs",
        cri="linux.securityContext.noNewPrivs",
        oci="process.noNewPrivileges",
        kernel="no_new_privs",
    ),
    _Answer(
        "caps asked for",
        value_text.requested,
        effective="securityContext.capabilities",
        cri="linux.securityContext.capabilities",
    ),
    *(
        _Answer(f"caps {name}", value_text.capabilities, oci=f"process.capabilities.{name}", kernel=f"cap_{name}")
        for name in ("effective", "permitted", "inheritable", "bounding", "ambient")
    ),
    _Answer(
        "seccomp",
        value_text.seccomp,
        effective="seccomp",
        cri="linux.securityContext.seccomp",
        oci="linux.seccomp",
        kernel="seccomp",
    ),
    _Answer(
        "AppArmor",
        value_text.profile,
        effective="apparmor apparmorProfile",
        cri="linux.securityContext.apparmor linux.securityContext.apparmorProfile",
        oci="process.apparmorProfile",
    ),
    _Answer(
        "SELinux",
        value_text.label,
        effective="securityContext.seLinuxOptions",
        cri="linux.securityContext.selinuxOptions",
        oci="process.selinuxLabel",
    ),
    _Answer("LSM label", kernel="label"),
    _Answer(
        "masked paths",
        effective="maskedPaths",
        cri="linux.securityContext.maskedPaths",
        oci="linux.maskedPaths",
        kernel="masked",
    ),
    _Answer(
        "read-only paths",
        effective="readonlyPaths",
        cri="linux.securityContext.readonlyPaths",
        oci="linux.readonlyPaths",
        kernel="readonly_paths",
    ),
    _Answer(
        "namespaces",
        named=True,
        effective="namespaceOptions.network namespaceOptions.pid namespaceOptions.ipc",
        cri=(
            "linux.securityContext.namespaceOptions.network linux.securityContext.namespaceOptions.pid"
            " linux.securityContext.namespaceOptions.ipc"
        ),
    ),
    _Answer("namespaces", value_text.namespace, oci="linux.namespaces"),
    _Answer("namespaces", value_text.shared, kernel="host_namespaces"),
    _Answer("devices", value_text.device, oci="linux.devices"),
    _Answer("open devices", kernel="devices"),
    _Answer(
        "read-only root",
        effective="securityContext.readOnlyRootFilesystem",
        cri="linux.securityContext.readonlyRootfs",
        oci="root.readonly",
        kernel="root_readonly",
    ),
    _Answer("propagation", oci="linux.rootfsPropagation"),
    _Answer("oom_score_adj", cri="linux.resources.oomScoreAdj", oci="process.oomScoreAdj", kernel="oom_score_adj"),
    _Answer("rlimits", value_text.rlimit, oci="process.rlimits"),
)
_UNENFORCED_LABEL: Segments = ("annotations", Key("podward.dev/selinux-label"))
"""The annotation of the runtime spec with an SELinux label that this kernel cannot enforce."""


def _by_stage() -> dict[str, dict[Segments, RowField]]:
    found: dict[str, dict[Segments, RowField]] = {"effective": {}, "cri": {}, "oci": {}, "kernel": {}}
    for answer in _ANSWERS:
        for stage, fields in found.items():
            for dotted in getattr(answer, stage).split():
                segments: Segments = tuple(dotted.split("."))
                fields[segments] = RowField(answer.row, segments, answer.form, answer.between, answer.named)
    found["oci"][_UNENFORCED_LABEL] = RowField("SELinux", _UNENFORCED_LABEL, value_text.unenforced)
    return found


FIELDS = _by_stage()
"""By stage, then by the place of the field; fields inside of such a field belong to the same row."""

ADMISSION_FIELDS: dict[str, tuple[str, Form]] = {
    "runAsNonRoot": ("run as non-root", value_text.plain),
    "runAsUser": ("user", value_text.ids),
    "runAsGroup": ("group", value_text.ids),
    "fsGroup": ("groups", value_text.plain),
    "supplementalGroups": ("groups", value_text.plain),
    "allowPrivilegeEscalation": ("no_new_privs", value_text.escalation),
    "add": ("caps asked for", value_text.added),
    "drop": ("caps asked for", value_text.dropped),
    "capabilities": ("caps asked for", value_text.requested),
    "seccompProfile": ("seccomp", value_text.profile),
    "appArmorProfile": ("AppArmor", value_text.profile),
    "level": ("SELinux", value_text.level),
    "seLinuxOptions": ("SELinux", value_text.label),
    "readOnlyRootFilesystem": ("read-only root", value_text.plain),
}
"""The fields of a security context that admission sets, each with its row."""
