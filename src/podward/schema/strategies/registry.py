"""Which strategy a resource has, and each of its subresources.

Specification: Kubernetes, pkg/registry/GROUP/KIND/storage. What is not in the table is checked by its schema alone: its
name is that of a subdomain, a status is written through its subresource only where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.schema.strategies import (
    accounts,
    config,
    leases,
    limit_ranges,
    names,
    namespaces,
    object_meta,
    priority_classes,
    quotas,
    roles,
)
from podward.schema.strategies.strategy import Strategy

_RBAC = "rbac.authorization.k8s.io"

_STRATEGIES: Mapping[tuple[str, str], Strategy] = {
    ("", "configmaps"): config.CONFIG_MAP,
    ("", "limitranges"): limit_ranges.LIMIT_RANGE,
    ("", "namespaces"): namespaces.NAMESPACE,
    ("", "namespaces/finalize"): namespaces.NAMESPACE_FINALIZE,
    ("", "namespaces/status"): namespaces.NAMESPACE_STATUS,
    ("", "resourcequotas"): quotas.RESOURCE_QUOTA,
    ("", "resourcequotas/status"): quotas.RESOURCE_QUOTA_STATUS,
    ("", "secrets"): config.SECRET,
    ("", "serviceaccounts"): accounts.SERVICE_ACCOUNT,
    ("coordination.k8s.io", "leases"): leases.LEASE,
    (_RBAC, "clusterrolebindings"): roles.CLUSTER_ROLE_BINDING,
    (_RBAC, "clusterroles"): roles.CLUSTER_ROLE,
    (_RBAC, "rolebindings"): roles.ROLE_BINDING,
    (_RBAC, "roles"): roles.ROLE,
    ("scheduling.k8s.io", "priorityclasses"): priority_classes.PRIORITY_CLASS,
}


def _of_others(*, namespaced: bool) -> Strategy:
    new = object_meta.new(names.SUBDOMAIN, namespaced=namespaced)
    return Strategy(validate=new, validate_update=object_meta.both(new), namespaced=namespaced)


_OTHERS = {True: _of_others(namespaced=True), False: _of_others(namespaced=False)}


def strategy_of(group: str, plural: str, subresource: str = "", *, namespaced: bool = True) -> Strategy:
    """The strategy of a resource, or of one of its subresources; `namespaced` is asked of resources without one."""
    found = _STRATEGIES.get((group, f"{plural}/{subresource}" if subresource else plural))
    return found if found is not None else _OTHERS[namespaced]
