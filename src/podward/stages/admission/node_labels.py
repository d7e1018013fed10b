"""Which labels a node may give itself: none of Kubernetes' own, but for those that kubelets set.

Specification: Kubernetes, k8s.io/kubelet, pkg/apis/well_known_labels.go, and plugin/pkg/admission/noderestriction
getForbiddenLabels. Labels of `node-restriction.kubernetes.io` are kept from nodes for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_KUBELET = frozenset(
    (
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    )
)
_KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBERNETES_DOMAINS = ("kubernetes.io", "k8s.io")
_RESTRICTED = "node-restriction.kubernetes.io"


def forbidden(new: Mapping[str, object], old: Mapping[str, object]) -> list[str]:
    """The labels, by name, that a node may not add, change or remove, of those that it does."""
    changed = [key for key in {**new, **old} if key not in new or key not in old or new[key] != old[key]]
    return sorted(key for key in changed if _is_forbidden(key))


def _is_forbidden(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    if _within(domain, _RESTRICTED):
        return True
    own = any(_within(domain, each) for each in _KUBERNETES_DOMAINS)
    return own and key not in _KUBELET and not any(_within(domain, each) for each in _KUBELET_DOMAINS)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")
