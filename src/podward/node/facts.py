"""The facts of this node that decide its Pods."""

from __future__ import annotations

from msgspec import structs

from podward.api.core import Pod
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import RuntimeConfigResponse, StatusResponse
from podward.api.cri_status import RuntimeFeatures, RuntimeHandlerFeatures
from podward.api.node import Node
from podward.errors import NodeError
from podward.node.options import Options
from podward.node.services.upstream import resolver_file
from podward.policy.kubelet import dns
from podward.policy.kubelet.dns import ClusterDNS, PodDNS
from podward.runtime import hostfiles, machine
from podward.runtime.service.runtime_service import RuntimeService


def of_node(options: Options, service: RuntimeService, address: str) -> Node:
    """The node as its options make it."""
    choice = service.choice("")
    found = machine.gather() if isinstance(choice, CriRefusal) else service.node(choice)
    return structs.replace(
        found,
        seccomp_default=options.seccomp_default,
        seccomp_root=options.seccomp_root,
        allowed_unsafe_sysctls=options.allowed_unsafe_sysctls,
        name=options.name,
        addresses=(address,),
    )


def with_told(node: Node, told: StatusResponse) -> Node:
    """The node with what a CRI runtime behind a socket says that it and its default handler can do.

    As with a kubelet, what it does not say it cannot do.
    """
    of_handlers = {handler.name: handler.features for handler in told.runtime_handlers}
    handler = of_handlers.get("") or RuntimeHandlerFeatures()
    return structs.replace(
        node,
        userns_supported=handler.user_namespaces,
        recursive_read_only=handler.recursive_read_only_mounts,
        supplemental_groups_policy=(told.features or RuntimeFeatures()).supplemental_groups_policy,
    )


def check_driver(told: RuntimeConfigResponse) -> None:
    """Raises NodeError where the runtime wants cgroups by systemd: those of Pods here have plain paths.

    A runtime that does not say it is asked to do as it can.
    """
    if told.linux is not None and told.linux.cgroup_driver == "SYSTEMD":
        raise NodeError(
            "the container runtime has systemd make cgroups, where this node gives Pods cgroups below /kubepods",
            advice='give it cgroupfs: containerd by SystemdCgroup = false, CRI-O by cgroup_manager = "cgroupfs"',
        )


def dns_of(options: Options, pod: Pod) -> PodDNS:
    """What the Pod's resolv.conf is made of, with what is to be told about it."""
    of_node = hostfiles.read(resolver_file())
    return dns.in_cluster(pod, of_node, ClusterDNS(options.cluster_dns, options.cluster_domain))
