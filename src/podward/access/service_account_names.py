"""The user names of service accounts.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/serviceaccount: `system:serviceaccount:NAMESPACE:NAME`,
both valid names.
"""

from __future__ import annotations

from podward.api.caller import ACCOUNT_PREFIX
from podward.schema.validation.names import label_faults, subdomain_faults


def split_username(username: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that the user is; None for any other user."""
    if not username.startswith(ACCOUNT_PREFIX):
        return None
    namespace, colon, name = username.removeprefix(ACCOUNT_PREFIX).partition(":")
    if not colon or label_faults(namespace) or subdomain_faults(name):
        return None
    return namespace, name
