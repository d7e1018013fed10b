"""The kernel stage: it predicts the state of the process just after its execve(2) from the runtime spec.

The stage takes facts and returns a Decision. The Decision folds into the predicted `ProcessState`; its violations say
what the runtime or the kernel will refuse. The rules are in `podward.policy.kernel`. This module applies them in order:
the user namespace, the attributes that the runtime sets, the mounts, whether the entry file may be executed, and what
execve changes.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.image import EntryFile
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.process import MountState
from podward.decision import Decision, Unknown, assign, merge
from podward.path import path
from podward.policy.kernel import (
    capabilities,
    credentials,
    devices,
    entry_file,
    exec_arguments,
    execve,
    mount_points,
    mounts,
    process_attributes,
    runsc,
    unknown_entry,
    user_namespace,
)
from podward.policy.kernel.credentials import Credentials
from podward.policy.kernel.mount_points import MountPoint
from podward.policy.kernel.propagation import MountSource
from podward.policy.kernel.sources import Sources
from podward.policy.kernel.user_namespace import UserNamespace


class Inherited(Struct, frozen=True, gc=False):
    """Values that the container's process inherits from the process that starts the runtime if the spec sets none.

    `label` is that process's security label; None if the machine has no security module that labels processes.
    `stack_limit` is its soft limit of the stack, in bytes. `groups` are its supplementary groups where nobody in its
    user namespace may set others, None where they are set.
    """

    oom_score_adj: int = 0
    label: str | None = None
    stack_limit: int = 8 << 20
    groups: tuple[int, ...] | None = None


class ExecutionFacts(Struct, frozen=True, gc=False):
    """What the kernel will find when the process executes its entry.

    `entry` is None if the entry file can't be found, Unknown if it can't be looked for. `source_flags` are the flags of
    the host's mounts that bind mounts come from, by the destination as the spec writes it; "/" is the mount that holds
    the root file system; absent ones have no flags. `cgroup_v2` is whether the runtime finds a pure cgroup2 hierarchy
    at /sys/fs/cgroup. `locked` are the destinations of bind mounts whose source's flags can't be cleared, as Podward is
    in a user namespace. `missing_mount_points` are those below other mounts that are certainly not there.
    """

    entry: EntryFile | Unknown | None
    source_flags: tuple[MountSource, ...] = ()
    locked: frozenset[str] = frozenset()
    cgroup_v2: bool = True
    inherited: Inherited = Inherited()
    missing_mount_points: tuple[MountPoint, ...] = ()


class KernelFacts(Struct, frozen=True, gc=False):
    """What is known before the runtime starts. `origin` is the oci stage's Decision on `spec`."""

    spec: RuntimeSpec
    node: Node
    execution: ExecutionFacts
    origin: Decision


class _Mounts(Struct, frozen=True, gc=False):
    """The mounts of the predicted state, which the rules about the entry file need."""

    mounts: tuple[MountState, ...]


def decide(facts: KernelFacts) -> Decision:
    """The prediction. Assignments have paths of `ProcessState`, violations have paths of the runtime spec."""
    sources = Sources(facts.origin)
    if facts.node.runtime == "runsc":
        return runsc.decide(facts.spec, sources)
    spec, node = facts.spec, facts.node
    maps = user_namespace.decide(spec, node, sources)
    userns = maps.fold(UserNamespace)
    prepared = merge(
        _ids(facts, userns, sources),
        capabilities.decide(spec, userns, node.capabilities, sources),
        process_attributes.decide_seccomp(spec, sources),
    )
    surroundings = _mounts_and_namespaces(facts, sources)
    container = mounts.ContainerMounts(surroundings.fold(_Mounts).mounts, mounts.root_flags(spec, _mount_facts(facts)))
    return merge(
        maps,
        prepared,
        mounts.decide_masks(spec, node.special_paths, sources),
        process_attributes.decide_oom_score(spec, facts.execution.inherited.oom_score_adj, node, sources),
        surroundings,
        devices.decide(spec, node, sources),
        _execve(facts, prepared, userns, container, sources),
    )


def _ids(facts: KernelFacts, userns: UserNamespace, sources: Sources) -> Decision:
    inherited = facts.execution.inherited.groups
    if inherited is not None:
        return credentials.decide_with_inherited_groups(facts.spec, inherited, sources)
    return credentials.decide_ids(facts.spec, userns, facts.node.runtime, sources)


def _mounts_and_namespaces(facts: KernelFacts, sources: Sources) -> Decision:
    """The parts of the state that do not depend on the process's ids: mounts, namespaces, label."""
    spec, node = facts.spec, facts.node
    return merge(
        mounts.decide(spec, _mount_facts(facts), sources),
        mount_points.decide(spec, _mount_facts(facts), facts.execution.missing_mount_points, sources),
        process_attributes.decide_host_namespaces(spec, sources),
        process_attributes.decide_label(spec, node.lsm, facts.execution.inherited.label, sources),
    )


def _execve(
    facts: KernelFacts, prepared: Decision, userns: UserNamespace, container: mounts.ContainerMounts, sources: Sources
) -> Decision:
    """What execve changes; if there is no file to execute, the process keeps its credentials."""
    entry = facts.execution.entry
    refused = exec_arguments.decide(facts.spec.process, facts.execution.inherited.stack_limit)
    if refused.refused:
        return refused + _unchanged(prepared.fold(Credentials), sources)
    if isinstance(entry, Unknown):
        return unknown_entry.decide(prepared, entry, sources)
    hidden = sources.unknown("process", "user")
    if hidden is not None:
        return unknown_entry.decide(prepared, hidden, sources)
    before = prepared.fold(Credentials)
    allowed = entry_file.decide(facts.spec, entry, before, userns, container)
    if entry is None:
        return allowed + _unchanged(before, sources)
    last = execve.facts_of(entry, container, userns, facts.node.kernel)
    return allowed + execve.decide(before, last, sources)


def _unchanged(before: Credentials, sources: Sources) -> Decision:
    reason = "nothing is executed"
    return merge(
        assign(path("uid"), (before.uid,) * 4, reason, sources.of("process", "user", "uid")),
        assign(path("gid"), (before.gid,) * 4, reason, sources.of("process", "user", "gid")),
    )


def _mount_facts(facts: KernelFacts) -> mounts.MountFacts:
    own = any(namespace.type == "user" for namespace in facts.spec.linux.namespaces)
    entry, flags = facts.execution.entry, facts.execution.source_flags
    nosuid = isinstance(entry, EntryFile) and entry.nosuid
    if nosuid and not any(state.destination == "/" for state in flags):
        flags = (*flags, MountSource("/", nosuid=True))
    joined = frozenset(namespace.type for namespace in facts.spec.linux.namespaces if namespace.path)
    shared = not any(namespace.type == "cgroup" for namespace in facts.spec.linux.namespaces)
    foreign = shared and (own or facts.node.in_user_namespace)
    execution = facts.execution
    return mounts.MountFacts(facts.node.runtime, own, execution.cgroup_v2, flags, joined, execution.locked, foreign)
