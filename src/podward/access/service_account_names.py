"""The user names of service accounts.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/serviceaccount: `system:serviceaccount:NAMESPACE:NAME`,
both valid names.
"""

from __future__ import annotations

from podward.schema.validation.names import label_faults, subdomain_faults

PREFIX = "system:serviceaccount:"


def split_username(username: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that the user is; None for any other user."""
    if not username.startswith(PREFIX):
        return None
    namespace, colon, name = username.removeprefix(PREFIX).partition(":")
    if not colon or label_faults(namespace) or subdomain_faults(name):
        return None
    return namespace, name
