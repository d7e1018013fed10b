"""The files that the kubelet itself mounts into every container: the termination log, and /etc/hosts.

Specification (kubelet, `makeMounts` of pkg/kubelet and of pkg/kubelet/kuberuntime, in our words):
- /etc/hosts is one file of the Pod, mode 0644, written anew whenever one of its containers is created. Its mount is
  writable, whatever the container's root is. A container with a volumeMount at exactly /etc/hosts does not get it.
- The file has the names of the local host, a line for each address of the Pod (with the domain if the Pod has a
  subdomain), and `hostAliases`, one line for each. On the host's network it is the host's file with the aliases.
- The termination log is an empty file, mode 0666 whatever the umask, new for each start of each container; it is
  mounted writable at `terminationMessagePath`, after all other mounts. A relative path starts at the root.
- Neither mount has a propagation, so it is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.cri import Mount
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source
from podward.path import path
from podward.policy.kubelet import hostname

if TYPE_CHECKING:
    from podward.api.core import Container, HostAlias, Pod
    from podward.api.effective import Place

HOSTS = "/etc/hosts"
DEFAULT_LOG = "/dev/termination-log"
HOSTS_MODE, LOG_MODE = 0o644, 0o666
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} mounts")

_LOCAL = (
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
)
_OF_THE_HOST = "# Kubernetes-managed hosts file (host network)."


class ContainerFiles(Struct, frozen=True, gc=False):
    """Where the two files of a container are on the host; empty for one that is not there."""

    hosts: str = ""
    termination_log: str = ""


def decide(pod: Pod, container: Container, place: Place, files: ContainerFiles, first: int) -> Decision:
    """The mounts of the CRI message, from the item `first` on."""
    rows: list[tuple[Mount, str, Source]] = []
    own = any(mount.mount_path == HOSTS for mount in container.volume_mounts or ())
    if files.hosts and not own:
        source = RULE
        if pod.spec.host_aliases:
            source = Source(Origin.MANIFEST, place.document, place.pod / "spec" / "hostAliases")
        rows.append((Mount(HOSTS, files.hosts, selinux_relabel=True), "the hosts file of the Pod", source))
    log = log_path(container)
    if files.termination_log and log:
        source = RULE
        if log != DEFAULT_LOG:
            source = Source(Origin.MANIFEST, place.document, place.container / "terminationMessagePath")
        rows.append((Mount(log, files.termination_log, selinux_relabel=True), "terminationMessagePath", source))
    return Decision(
        tuple(Assignment(path("mounts", first + i), mount, why, source) for i, (mount, why, source) in enumerate(rows))
    )


def log_path(container: Container) -> str:
    """Where the container finds its termination log; empty if it has none."""
    written = container.termination_message_path or ""
    return written if not written or written.startswith("/") else f"/{written}"


def hosts_text(pod: Pod, addresses: tuple[str, ...], hosts_of_node: str) -> str:
    """The content of /etc/hosts; `hosts_of_node` is that of this machine, for a Pod on its network."""
    if pod.spec.host_network:
        return f"{_OF_THE_HOST}\n{hosts_of_node}{_aliases(pod.spec.host_aliases)}"
    own, domain = hostname.name(pod), hostname.domain(pod)
    names = f"{own}.{domain}\t{own}" if domain else own
    lines = (*_LOCAL, *(f"{address}\t{names}" for address in addresses), "")
    return "\n".join(lines) + _aliases(pod.spec.host_aliases)


def _aliases(aliases: tuple[HostAlias, ...] | None) -> str:
    if not aliases:
        return ""
    rows = ("\t".join((alias.ip, *(alias.hostnames or ()))) for alias in aliases)
    return "\n".join(("", "# Entries added by HostAliases.", *rows, ""))
