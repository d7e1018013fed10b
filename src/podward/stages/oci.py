"""The oci stage: it computes the runtime spec that the container runtime writes for a CRI message.

The stage takes facts and returns a Decision. The Decision folds into the whole `RuntimeSpec`, the `config.json` of
containerd (the default), CRI-O or Docker; its violations say what the container runtime refuses. The rules are in
`podward.policy.runtime`. Each assignment has the source of the CRI field that it translates, or the runtime's table.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import ContainerConfig, PodSandboxConfig
from podward.api.cri import Device as CRIDevice
from podward.api.image import Image, UnknownImage
from podward.api.node import Node
from podward.api.oci import Device
from podward.decision import Decision, assign, merge
from podward.path import path
from podward.policy.runtime import (
    apparmor,
    capabilities,
    env,
    groups,
    image_volumes,
    linux,
    mounts,
    namespaces,
    process,
    sandbox,
    seccomp,
    selinux,
    user,
    without_root,
)
from podward.policy.runtime import (
    defaults as tables,
)
from podward.policy.runtime.linux import Controllers
from podward.policy.runtime.mount_refusals import MountSource
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths, Placement, own_userns
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.seccomp_table import Machine, Profile, kernel_version

OCI_VERSION = "1.0.2"
"""The version of the spec, which all OCI runtimes in use accept; crun 1.8 refuses versions above 1.0."""

__all__ = [
    "OCI_VERSION",
    "Controllers",
    "HostFacts",
    "MountSource",
    "NamespacePaths",
    "OciFacts",
    "SandboxFiles",
    "decide",
]


class HostFacts(Struct, frozen=True, gc=False):
    """What the host has ready for a container.

    `rootfs` is the absolute path of the container's root; `namespaces` are the Pod's, pinned, and `files` the Pod's.
    `localhost_seccomp` is the file that a Localhost profile names, parsed (`policy.runtime.seccomp_profile.parse`),
    None if it is not there. `host_devices` are the device nodes below the host's /dev, for privileged containers.
    `arch` is Go's name of this machine's architecture. `node_hostname` is what a Pod on the host's network is told.
    `oom_score_adj` is the value of the process that starts the OCI runtime. `image_volumes` is the directory that holds
    the volumes of the image. `mount_sources` are those of the message's mounts and `devices` the nodes of its devices,
    in its order. `sandbox_id` is the sandbox's id in a CRI service.
    """

    rootfs: str
    cgroups_path: str = ""
    namespaces: NamespacePaths = NamespacePaths()
    files: SandboxFiles = SandboxFiles()
    localhost_seccomp: Profile | None = None
    host_devices: tuple[Device, ...] = ()
    arch: str = "amd64"
    cgroup_v2: bool = True
    node_hostname: str = ""
    oom_score_adj: int = 0
    image_volumes: str = ""
    mount_sources: tuple[MountSource, ...] = ()
    devices: tuple[tuple[Device, ...], ...] = ()
    controllers: Controllers = Controllers()
    sandbox_id: str = ""


class OciFacts(Struct, frozen=True, gc=False):
    """What the container runtime knows when it makes a container. `origin` is the cri stage's Decision on `config`."""

    config: ContainerConfig
    sandbox: PodSandboxConfig
    image: Image | UnknownImage
    node: Node
    host: HostFacts
    origin: Decision


def decide(facts: OciFacts) -> Decision:
    """The whole runtime spec. Raises UsageError if the node's `runtime_defaults` is not the name of a table."""
    runtime = RuntimeProfile(
        tables.load(facts.node.runtime_defaults),
        facts.origin,
        recursive_read_only=facts.node.recursive_read_only,
        node=facts.node,
    )
    return merge(
        assign(path("ociVersion"), OCI_VERSION, "what every OCI runtime reads", runtime.source),
        sandbox.check_privilege(facts.config.linux.security_context, facts.sandbox, runtime),
        _process(facts, runtime),
        _root(facts, runtime),
        mounts.decide(facts.config, facts.host.files, runtime, _volumes(facts), facts.host.mount_sources),
        _linux(facts, runtime),
        sandbox.decide_annotations(facts.config, facts.sandbox, runtime, facts.node.runtime, facts.host.sandbox_id),
    )


def _devices(facts: OciFacts) -> tuple[tuple[CRIDevice, tuple[Device, ...]], ...]:
    """The message's devices with their nodes; nobody has looked for them where there are none."""
    found = facts.host.devices
    return tuple((asked, found[i] if i < len(found) else ()) for i, asked in enumerate(facts.config.devices))


def _volumes(facts: OciFacts) -> mounts.Volumes:
    return mounts.Volumes(image_volumes.find(facts.image, facts.config), facts.host.image_volumes)


def _process(facts: OciFacts, runtime: RuntimeProfile) -> Decision:
    config, context, image = facts.config, facts.config.linux.security_context, facts.image
    hostname = facts.sandbox.hostname or facts.host.node_hostname
    return merge(
        process.decide_args(config, image, runtime),
        env.decide(config, image, hostname, runtime),
        process.decide_cwd(config, image, runtime),
        process.decide_flags(config, runtime),
        _user(facts, runtime),
        process.decide_rlimits(runtime),
        process.decide_oom_score(config, facts.node, facts.host.oom_score_adj, runtime),
        apparmor.decide(context, facts.node.lsm, runtime, facts.node.apparmor_profiles),
        selinux.decide(context, facts.sandbox.linux.security_context.selinux_options, facts.node.lsm, runtime),
    )


def _user(facts: OciFacts, runtime: RuntimeProfile) -> Decision:
    context = facts.config.linux.security_context
    resolved = user.resolve(context, facts.image, runtime)
    if isinstance(resolved, Decision):
        return resolved
    decided = user.decide(resolved) + groups.decide(context, facts.image, resolved, runtime)
    if facts.node.in_user_namespace and own_userns(context) is None:
        return decided + without_root.decide_ids(decided, facts.node)
    return decided


def _root(facts: OciFacts, runtime: RuntimeProfile) -> Decision:
    source = runtime.source_of("linux", "securityContext", "readonlyRootfs")
    return assign(path("root", "path"), facts.host.rootfs, "the container's root", runtime.source) + assign(
        path("root", "readonly"), facts.config.linux.security_context.readonly_rootfs, "readOnlyRootFilesystem", source
    )


def _linux(facts: OciFacts, runtime: RuntimeProfile) -> Decision:
    context = facts.config.linux.security_context
    given = capabilities.decide(
        context,
        facts.node.capabilities,
        own_userns=own_userns(context) is not None,
        runtime=runtime,
    )
    machine = Machine(frozenset(capabilities.bounding_of(given)), facts.host.arch, kernel_version(facts.node.kernel))
    hostname = facts.sandbox.hostname or facts.host.node_hostname
    placement = Placement(facts.host.namespaces, hostname, facts.host.cgroup_v2)
    return merge(
        given,
        namespaces.decide(context, facts.sandbox, placement, runtime),
        linux.decide_masks(context, runtime),
        linux.decide_devices(context, facts.host.host_devices, runtime, _devices(facts)),
        _cgroup(facts, runtime),
        seccomp.decide(context, facts.host.localhost_seccomp, machine, runtime),
    )


def _cgroup(facts: OciFacts, runtime: RuntimeProfile) -> Decision:
    if not facts.node.cgroups:
        return linux.decide_without_cgroups(facts.config)
    return linux.decide_resources(facts.config, facts.host.cgroups_path, runtime, facts.host.controllers)
