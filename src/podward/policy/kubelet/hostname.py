"""A Pod's host name, and the domain that goes with it.

Specification (kubelet, GeneratePodHostNameAndDomain and GetNodenameForKernel, in our words):
- The name is `hostname`, else the Pod's own name, cut after 63 characters; the cut name does not end in `-` or `.`.
  With a `subdomain` its domain is SUBDOMAIN.NAMESPACE.svc and the cluster's domain.
- `hostnameOverride` takes the place of all that: it is the name, and there is no domain.
- Under `setHostnameAsFQDN` the kernel is told name and domain, if there is a domain. Linux takes 64 characters; a
  longer name refuses the Pod.
- On the host's network the sandbox message has no name: the Pod sees the node's.
"""

from __future__ import annotations

from podward.api.core import Pod
from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, assign, refuse
from podward.path import path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} host name")
CLUSTER_DOMAIN = "cluster.local"
_LONGEST, _LONGEST_OF_KERNEL = 63, 64


def name(pod: Pod) -> str:
    """The name without a domain."""
    written = pod.spec.hostname_override or pod.spec.hostname or pod.metadata.name or "pod"
    return written if len(written) <= _LONGEST else written[:_LONGEST].rstrip("-.")


def domain(pod: Pod) -> str:
    """The domain; empty where there is none."""
    subdomain = pod.spec.subdomain
    if not subdomain or pod.spec.hostname_override:
        return ""
    return f"{subdomain}.{pod.metadata.namespace or 'default'}.svc.{CLUSTER_DOMAIN}"


def decide(pod: Pod, place: Place) -> Decision:
    """`hostname` of the sandbox message, or why there can be none."""
    spec = pod.spec
    if spec.host_network:
        return assign(path("hostname"), "", "hostNetwork: the node's", _of(place, "hostNetwork"))
    field = next((field for field, written in _fields(pod) if written), "")
    source = _of(place, field) if field else Source(Origin.MANIFEST, place.document, place.pod / "metadata" / "name")
    below = domain(pod)
    if not (below and spec.set_hostname_as_fqdn):
        return assign(path("hostname"), name(pod), field or "the Pod's name", source)
    full = f"{name(pod)}.{below}"
    if len(full) > _LONGEST_OF_KERNEL:
        reason = (
            "failed to construct FQDN from pod hostname and cluster domain, "
            f"FQDN {full} is too long ({_LONGEST_OF_KERNEL} characters is the max, {len(full)} characters requested)"
        )
        return refuse(place.pod / "spec" / "setHostnameAsFQDN", True, reason, RULE)
    return assign(path("hostname"), full, "setHostnameAsFQDN", _of(place, "setHostnameAsFQDN"))


def _fields(pod: Pod) -> tuple[tuple[str, str | None], ...]:
    return (("hostnameOverride", pod.spec.hostname_override), ("hostname", pod.spec.hostname))


def _of(place: Place, field: str) -> Source:
    return Source(Origin.MANIFEST, place.document, place.pod / "spec" / field)
