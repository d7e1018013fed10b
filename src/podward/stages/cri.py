"""The cri stage: it translates the effective context into the CRI messages that the kubelet sends to the runtime.

The stage returns a Decision about a `ContainerConfig` or a `PodSandboxConfig`. It makes no choices: every assignment
has the source of the value that it translates.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Capabilities, Container, Pod, SELinuxOptions, every_container
from podward.api.cri import (
    Capability,
    IDMapping,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    Mount,
    SecurityProfile,
    SELinuxOption,
)
from podward.api.effective import EffectiveContext, Place
from podward.api.node import Node
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import NO_OBJECTS, ReferencedObjects
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Outcome, Source, Value, assign, merge
from podward.path import Path, path
from podward.policy.kubelet import container_files, environment, groups, hostname, namespaces, resources, sysctls

LINUX = path("linux")
CONTEXT = LINUX / "securityContext"
MERGED = path("securityContext")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} CRI messages")

_SAME_NAME = (
    "runAsUser",
    "runAsUsername",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "noNewPrivs",
    "seccomp",
    "apparmor",
    "apparmorProfile",
    "namespaceOptions",
    "maskedPaths",
    "readonlyPaths",
)


class ContainerFacts(Struct, frozen=True, gc=False):
    """The facts for a container's message: its context, its mounts, the kubelet's files, what its variables name."""

    pod: Pod
    container: Container
    place: Place
    effective: Outcome[EffectiveContext]
    node: Node
    mounts: tuple[tuple[Mount, Source], ...] = ()
    files: container_files.ContainerFiles = container_files.ContainerFiles()
    objects: ReferencedObjects = NO_OBJECTS
    pod_ip: str = ""


class SandboxFacts(Struct, frozen=True, gc=False):
    """The facts for the message about a Pod's sandbox."""

    pod: Pod
    place: Place
    node: Node
    cgroup_parent: str = ""
    userns: IDMapping | None = None
    extra_groups: tuple[int, ...] = ()


def decide_context(effective: Outcome[EffectiveContext]) -> Decision:
    """The LinuxContainerSecurityContext, below `linux.securityContext`."""
    carried = tuple(
        Assignment(CONTEXT + a.path, a.value, a.reason, a.source)
        for a in effective.decision.assignments
        if a.path.segments[0] in _SAME_NAME
    )
    merged = effective.value.security_context
    rows: tuple[tuple[str, Value, str], ...] = (
        ("privileged", merged.privileged, "privileged"),
        ("readonlyRootfs", merged.read_only_root_filesystem, "readOnlyRootFilesystem"),
        ("capabilities", _capabilities(merged.capabilities), "capabilities"),
        ("selinuxOptions", _selinux(merged.se_linux_options), "seLinuxOptions"),
    )
    translated = tuple(
        Assignment(CONTEXT / name, value, "as the manifest says", effective.source(MERGED / field, RULE))
        for name, value, field in rows
        if value is not None
    )
    return Decision(carried + translated)


def decide_container(facts: ContainerFacts) -> Decision:
    """The whole ContainerConfig."""
    container, place = facts.container, facts.place
    rows: tuple[tuple[Path, Value, str], ...] = (
        (path("metadata", "name"), container.name, "name"),
        (path("image", "image"), container.image or "", "image"),
        (path("workingDir"), container.working_dir, "workingDir"),
        (path("stdin"), container.stdin, "stdin"),
        (path("tty"), container.tty, "tty"),
    )
    plain = tuple(
        Assignment(
            field, value, "as the manifest says", Source(Origin.MANIFEST, place.document, place.container / written)
        )
        for field, value, written in rows
        if value is not None
    )
    mounts = tuple(
        Assignment(path("mounts", i), mount, "volumeMounts", source) for i, (mount, source) in enumerate(facts.mounts)
    )
    return merge(
        Decision(plain),
        environment.decide(PodFacts(facts.pod, place, facts.objects, facts.node, facts.pod_ip), container, place),
        Decision(mounts),
        container_files.decide(facts.pod, container, place, facts.files, len(mounts)),
        resources.decide(facts.pod.spec, container, place, facts.node.memory, cgroup_v2=facts.node.cgroup_v2).at(
            LINUX / "resources"
        ),
        decide_context(facts.effective),
    )


def decide_sandbox_context(facts: SandboxFacts) -> Decision:
    """The LinuxSandboxSecurityContext and the sysctls.

    A Pod without a security context sets only `privileged` and the seccomp profile.
    """
    spec, place, context = facts.pod.spec, facts.place, facts.pod.spec.security_context
    base = place.pod / "spec" / "securityContext"
    decided = merge(
        assign(path("privileged"), *_privileged(facts.pod, place)),
        assign(path("seccomp"), SecurityProfile("RuntimeDefault"), "the sandbox always has the default profile", RULE),
    )
    if context is None:
        return decided.at(CONTEXT)
    rows: tuple[tuple[str, Value, str], ...] = (
        ("runAsUser", context.run_as_user, "runAsUser"),
        ("runAsGroup", context.run_as_group, "runAsGroup"),
        ("selinuxOptions", _selinux(context.se_linux_options), "seLinuxOptions"),
    )
    own = tuple(
        Assignment(path(name), value, "as the Pod says", Source(Origin.MANIFEST, place.document, base / field))
        for name, value, field in rows
        if value is not None
    )
    decided = merge(
        decided,
        Decision(own),
        namespaces.decide(spec, place, facts.userns, userns_supported=facts.node.userns_supported),
        groups.decide_sandbox(context, facts.extra_groups, place),
    )
    return decided.at(CONTEXT) + sysctls.decide(spec, place).at(LINUX)


def context_of(decision: Decision) -> LinuxContainerSecurityContext:
    """The message in the Decision of `decide_context`."""
    return decision.fold(_Container).linux.security_context


def sandbox_context_of(decision: Decision) -> LinuxSandboxSecurityContext:
    """The message in the Decision of `decide_sandbox_context`."""
    return decision.fold(_Sandbox).linux.security_context


class _Container(Struct, frozen=True):
    linux: LinuxContainerConfig = LinuxContainerConfig()


class _Sandbox(Struct, frozen=True):
    linux: LinuxPodSandboxConfig = LinuxPodSandboxConfig()


def decide_sandbox(facts: SandboxFacts) -> Decision:
    """The whole PodSandboxConfig."""
    meta, document = facts.pod.metadata, facts.place.document
    source = Source(Origin.MANIFEST, document, facts.place.pod / "metadata")
    rows = (
        (path("metadata", "name"), meta.name or ""),
        (path("metadata", "namespace"), meta.namespace or "default"),
        (path("metadata", "uid"), meta.uid or ""),
        (LINUX / "cgroupParent", facts.cgroup_parent),
    )
    plain = tuple(Assignment(field, value, "the Pod's metadata", source) for field, value in rows)
    return merge(Decision(plain), hostname.decide(facts.pod, facts.place), decide_sandbox_context(facts))


def _capabilities(written: Capabilities | None) -> Capability | None:
    return None if written is None else Capability(add=written.add or (), drop=written.drop or ())


def _selinux(written: SELinuxOptions | None) -> SELinuxOption | None:
    if written is None:
        return None
    return SELinuxOption(written.user or "", written.role or "", written.type or "", written.level or "")


def _privileged(pod: Pod, place: Place) -> tuple[bool, str, Source]:
    for name, index, container in every_container(pod.spec):
        if container.security_context is not None and container.security_context.privileged:
            where: Path = place.pod / "spec" / name / index / "securityContext" / "privileged"
            return True, "a container is privileged", Source(Origin.MANIFEST, place.document, where)
    return False, "no container is privileged", RULE
