"""Approving the requests of kubelets for the certificates by which they call the API server.

Specification: Kubernetes, pkg/controller/certificates/approver. Whoever made the request must be allowed to create the
subresource `selfnodeclient`, for a certificate of its own name, or `nodeclient` for that of any node. Requests that
nobody may make are left to be decided by hand.

The certificates that nodes show are signed by an authority that only an API server trusts, and it only at nodes: they
are approved where a node asks for itself, for its own name and addresses that its Node object has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from podward.access.certificates.requested import (
    KUBELET_CLIENT,
    KUBELET_SERVING,
    conditions,
    kubelet_client_fault,
    kubelet_serving_fault,
    requested,
)
from podward.access.review_spec import user_of
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import NODE_PREFIX, node_of
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Generator

    from podward.api.json_value import JsonObject

_GROUP, _RESOURCE = "certificates.k8s.io", "certificatesigningrequests"
_OWN = ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.")
_SERVING = "Auto approving kubelet serving certificate: the node asks for addresses that its Node object has."
_ANY = ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


def approval(obj: JsonObject) -> Generator[Attributes, Answer, str]:
    """The message of the approval; empty where there is none. It yields what the authorizers are asked."""
    spec = member(obj, "spec")
    if text(spec, "signerName") != KUBELET_CLIENT or _is_decided(obj):
        return ""
    asked = requested(obj)
    if asked is None or kubelet_client_fault(asked):
        return ""
    user = user_of({**spec, "user": spec.get("username")})
    for subresource, message in (_OWN, _ANY) if user.username == asked.common_name else (_ANY,):
        answer = yield Attributes(user, "create", _GROUP, _RESOURCE, subresource, version="*")
        if answer.opinion is Opinion.ALLOW:
            return message
    return ""


def node_that_asks(obj: JsonObject) -> str:
    """The name of the node that asks for the certificate that it shows; empty where it is no such request."""
    spec = member(obj, "spec")
    if text(spec, "signerName") != KUBELET_SERVING or _is_decided(obj):
        return ""
    return node_of(user_of({**spec, "user": spec.get("username")})) or ""


def serving_approval(obj: JsonObject, node: JsonObject) -> str:
    """The message of the approval of a request of this Node; empty where there is none."""
    asked, name = requested(obj), text(member(node, "metadata"), "name")
    if asked is None or kubelet_serving_fault(asked) or asked.common_name != f"{NODE_PREFIX}{name}":
        return ""
    known = {name, *(text(each, "address") for each in objects(member(node, "status"), "addresses"))}
    named = [str(each.value) if isinstance(each, x509.DNSName | x509.IPAddress) else "" for each in asked.names]
    return _SERVING if all(each in known for each in named) else ""


def _is_decided(obj: JsonObject) -> bool:
    decided = {"Approved", "Denied"} & {text(each, "type") for each in conditions(obj)}
    return bool(decided or text(member(obj, "status"), "certificate"))
