"""Which rights a request to a node's server needs: any one of them is enough.

Specification: Kubernetes, pkg/kubelet/server/auth.go, with fine-grained authorization: of Pods, health and
configuration a right of their own is enough, so that nobody needs `nodes/proxy`, which is to run commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

VERBS: Mapping[str, str] = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_FINE = (("/pods", "pods"), ("/healthz", "healthz"), ("/configz", "configz"), ("/runningpods/", "pods"))
_OWN = (
    ("/stats/", "stats"),
    ("/metrics", "metrics"),
    ("/logs/", "log"),
    ("/checkpoint/", "checkpoint"),
    ("/statusz", "statusz"),
    ("/flagz", "configz"),
)


def subresources_of(path: str) -> Sequence[str]:
    """The subresources of the node, one of which the caller must have a right to."""
    fine = [subresource for prefix, subresource in _FINE if _below(path, prefix)][:1]
    own = [subresource for prefix, subresource in _OWN if _below(path, prefix)][:1]
    return [*fine, *(own or ["proxy"])]


def _below(path: str, prefix: str) -> bool:
    place = prefix.removesuffix("/")
    return path == place or path.startswith(f"{place}/")
