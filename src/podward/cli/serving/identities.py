"""Who the parts are to the server: certificates of its own authority, each in a kubeconfig of its part's (0600).

Names and groups are those of Kubernetes (the Node authorizer, default roles of RBAC). They are made anew at each start,
and long before they end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from podward.api.caller import MASTERS
from podward.server import kubeconfig
from podward.server.freshness import ADMIN
from podward.server.own_authority import OwnAuthority

CONTROLLERS, SCHEDULER = "kube-controller-manager", "kube-scheduler"
SERVE = "podward-serve"
"""Whoever starts the parts. The kubeconfig that users are given is theirs: it may lead to another cluster by now."""


def file_of(directory: str, name: str) -> str:
    """Where a part's kubeconfig is."""
    return os.path.join(directory, f"{name}.kubeconfig")


def of_node(name: str) -> str:
    """The name of a node's kubeconfig."""
    return f"node-{name}"


def write(directory: str, authority_directory: str, address: str, nodes: Iterable[str]) -> None:
    """Write the kubeconfigs of controllers, scheduler, nodes, and our own. Raises InputError, UsageError."""
    authority = OwnAuthority(authority_directory)
    users: list[tuple[str, str, tuple[str, ...]]] = [(name, f"system:{name}", ()) for name in (CONTROLLERS, SCHEDULER)]
    users += [(of_node(name), f"system:node:{name}", ("system:nodes",)) for name in nodes]
    users.append((SERVE, ADMIN, (MASTERS,)))
    for name, user, groups in users:
        text = kubeconfig.text_of(address, authority.pem, authority.client(user, groups))
        kubeconfig.write(file_of(directory, name), text)
