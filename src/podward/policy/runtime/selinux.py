"""The SELinux label in the spec.

Specification, in our words (containerd 2.2 `toLabel` and go-selinux `InitLabels`, CRI-O 1.33 `configureSELinuxLabels`,
Docker 29): the label has the parts that the message sets; the other parts come from the policy for containers
(`system_u:system_r:container_t:s0`). The runtimes also choose a pair of categories that no other container has; it is
left out here. A malformed level is an error. A privileged container has no label of its own; with CRI-O, neither has a
container that shares the host's PID or IPC namespace.
On a kernel without SELinux no label can be enforced. The requested label is then kept as an annotation, for the report.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext, SELinuxOption
from podward.api.gotext import quote
from podward.decision import Decision, assign, refuse
from podward.path import Key, path
from podward.policy.runtime.namespaces import options
from podward.policy.runtime.runtime_profile import RuntimeProfile

LABEL = path("process", "selinuxLabel")
MOUNT_LABEL = path("linux", "mountLabel")
ANNOTATION = path("annotations", Key("podward.dev/selinux-label"))
CONTAINER = SELinuxOption("system_u", "system_r", "container_t", "s0")


def decide(
    context: LinuxContainerSecurityContext,
    of_sandbox: SELinuxOption | None,
    lsm: str,
    runtime: RuntimeProfile,
) -> Decision:
    """`process.selinuxLabel` and `linux.mountLabel` with SELinux, else the annotation.

    `of_sandbox` are the options of the sandbox, which a container without options gets.
    """
    requested = context.selinux_options if _any_set(context.selinux_options) else of_sandbox
    source = runtime.source_of("linux", "securityContext", "selinuxOptions")
    level = requested.level if requested is not None else ""
    if not well_formed(level):
        sentence = f"the format of 'level' {quote(level)} is not correct"
        return refuse(path("process", "selinuxLabel"), level, sentence, source)
    label = _completed(requested or CONTAINER)
    if lsm != "selinux":
        if requested is None or not _any_set(requested):
            return Decision()
        return assign(ANNOTATION, label, "carried, not enforceable on this kernel", source)
    privileged = runtime.source_of("linux", "securityContext", "privileged")
    if context.privileged:
        return assign(LABEL, "", "privileged: no label of its own", privileged)
    namespaces = options(context)
    if runtime.name == "cri-o" and "NODE" in (namespaces.pid, namespaces.ipc):
        return assign(LABEL, "", "shares the host's PID or IPC namespace", runtime.source)
    reason = "seLinuxOptions, completed by the policy for containers" if requested else "the policy for containers"
    file_label = f"system_u:object_r:container_file_t:{level or CONTAINER.level}"
    return assign(LABEL, label, reason, source) + assign(MOUNT_LABEL, file_label, "as the process", source)


def well_formed(level: str) -> bool:
    """Whether containerd accepts this level: `s0`, `s0-s1`, `s0:c1,c5.c9`, or "" for none."""
    if not level:
        return True
    sensitivity, colon, categories = level.partition(":")
    low, dash, high = sensitivity.partition("-")
    if not _numbered(low, "s", 1) or (dash and not _numbered(high, "s", 1)):
        return False
    ranges = [part.split(".") for part in categories.split(",")] if colon else []
    return all(len(ends) <= 2 and all(_numbered(end, "c", 4) for end in ends) for ends in ranges)


def _numbered(text: str, letter: str, most_digits: int) -> bool:
    digits = text[1:]
    return text[:1] == letter and digits.isascii() and digits.isdigit() and len(digits) <= most_digits


def _any_set(label: SELinuxOption | None) -> bool:
    return label is not None and bool(label.user or label.role or label.type or label.level)


def _completed(label: SELinuxOption) -> str:
    """The label as text, with the parts of the policy for containers where it sets none."""
    return ":".join(
        (
            label.user or CONTAINER.user,
            label.role or CONTAINER.role,
            label.type or CONTAINER.type,
            label.level or CONTAINER.level,
        )
    )
