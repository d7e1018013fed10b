"""The SELinux label.

Specification, in our words (containerd 2.2 `toLabel` and go-selinux `InitLabels`, CRI-O 1.33 `configureSELinuxLabels`,
Docker 29): the parts that the message names, the others as the policy for containers has them
(`system_u:system_r:container_t:s0`; the runtimes also draw a pair of categories that no other container has, which is
left out here). A level that is not well-formed is an error. Privileged containers have no label of their own; with
CRI-O neither has one that shares the host's PID or IPC namespace.
On a kernel without SELinux no label can be enforced: what was asked for is kept as an annotation, for the report.
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
    of_pod: SELinuxOption | None,
    lsm: str,
    runtime: RuntimeProfile,
) -> Decision:
    """`process.selinuxLabel` and `linux.mountLabel` under SELinux, else the annotation; `of_pod` is the sandbox's."""
    asked = context.selinux_options if _named(context.selinux_options) else of_pod
    source = runtime.of("securityContext", "selinuxOptions")
    level = asked.level if asked is not None else ""
    if not well_formed(level):
        sentence = f"the format of 'level' {quote(level)} is not correct"
        return refuse(path("process", "selinuxLabel"), level, sentence, source)
    label = _joined(asked or CONTAINER)
    if lsm != "selinux":
        if asked is None or not _named(asked):
            return Decision()
        return assign(ANNOTATION, label, "carried, not enforceable on this kernel", source)
    privileged = runtime.of("securityContext", "privileged")
    if context.privileged:
        return assign(LABEL, "", "privileged: no label of its own", privileged)
    chosen = options(context)
    if runtime.name == "cri-o" and "NODE" in (chosen.pid, chosen.ipc):
        return assign(LABEL, "", "shares the host's PID or IPC namespace", runtime.source)
    reason = "seLinuxOptions, completed by the policy for containers" if asked else "the policy for containers"
    file_label = f"system_u:object_r:container_file_t:{level or CONTAINER.level}"
    return assign(LABEL, label, reason, source) + assign(MOUNT_LABEL, file_label, "as the process", source)


def well_formed(level: str) -> bool:
    """Whether this is a level as containerd reads it: `s0`, `s0-s1`, `s0:c1,c5.c9`; "" is none."""
    if not level:
        return True
    sensitivity, colon, categories = level.partition(":")
    low, dash, high = sensitivity.partition("-")
    if not _numbered(low, "s", 1) or (dash and not _numbered(high, "s", 1)):
        return False
    ranges = [part.split(".") for part in categories.split(",")] if colon else []
    return all(len(ends) <= 2 and all(_numbered(end, "c", 4) for end in ends) for ends in ranges)


def _numbered(text: str, letter: str, most: int) -> bool:
    digits = text[1:]
    return text[:1] == letter and digits.isascii() and digits.isdigit() and len(digits) <= most


def _named(asked: SELinuxOption | None) -> bool:
    return asked is not None and bool(asked.user or asked.role or asked.type or asked.level)


def _joined(asked: SELinuxOption) -> str:
    return ":".join(
        (
            asked.user or CONTAINER.user,
            asked.role or CONTAINER.role,
            asked.type or CONTAINER.type,
            asked.level or CONTAINER.level,
        )
    )
