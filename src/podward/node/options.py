"""How a node is started, in the kubelet's own words, and where its things are.

ROOT/                 the state directory of the CRI runtime in our own process (`runtime.state`, `runtime.service`)
node/               0700
pods/UID/         what a Pod has on this node: volumes, hosts file, termination logs
logs/NAMESPACE_NAME_UID/CONTAINER/N.log
kubeconfig        of a node that has asked for its certificate; made once
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.policy.kubelet.image_collection import Thresholds
from podward.runtime.service.runtime_service import ServiceOptions


class Options(Struct, frozen=True):
    """What a node is started with.

    `endpoint` is the socket of a CRI runtime of its own; "" for the one in our process. `manifest_path` is the
    directory of static Pods. `address` is where the node is reached; "" for that of the way to elsewhere.
    `pod_max_pids` is how many processes a Pod may have; 0 and less is any number.
    `images` says when images that nobody uses go.
    """

    kubeconfig: str
    root: str
    name: str
    service: ServiceOptions = ServiceOptions()
    bootstrap_kubeconfig: str = ""
    endpoint: str = ""
    manifest_path: str = ""
    address: str = ""
    port: int = 10250
    labels: Mapping[str, str] = {}
    taints: tuple[JsonObject, ...] = ()
    register: bool = True
    max_pods: int = 110
    pod_max_pids: int = -1
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    pod_cidr: str = ""
    status_seconds: float = 10.0
    log_size: int = 10 << 20
    log_files: int = 5
    images: Thresholds = Thresholds()
    seccomp_default: bool = False
    seccomp_root: str = "/var/lib/kubelet/seccomp"
    allowed_unsafe_sysctls: tuple[str, ...] = ()

    @property
    def directory(self) -> str:
        """Where what is the node's own is."""
        return f"{self.root}/node"

    @property
    def pods(self) -> str:
        """Where each Pod has its directory, by its uid."""
        return f"{self.directory}/pods"

    @property
    def logs(self) -> str:
        """Where the logs of containers are."""
        return f"{self.directory}/logs"
