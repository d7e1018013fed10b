"""Approving the requests of kubelets for the certificates by which they call the API server.

Specification: Kubernetes, pkg/controller/certificates/approver. Whoever made the request must be allowed to create the
subresource `selfnodeclient`, for a certificate of its own name, or `nodeclient` for that of any node. Requests that
nobody may make are left to be decided by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.certificates.requested import KUBELET_CLIENT, conditions, kubelet_client_fault, requested
from podward.access.review_spec import user_of
from podward.api.authorization import Answer, Attributes, Opinion
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Generator

    from podward.api.json_value import JsonObject

_GROUP, _RESOURCE = "certificates.k8s.io", "certificatesigningrequests"
_OWN = ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.")
_ANY = ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


def approval(obj: JsonObject) -> Generator[Attributes, Answer, str]:
    """The message of the approval; empty where there is none. It yields what the authorizers are asked."""
    spec = member(obj, "spec")
    decided = bool({"Approved", "Denied"} & {text(each, "type") for each in conditions(obj)})
    if text(spec, "signerName") != KUBELET_CLIENT or decided or text(member(obj, "status"), "certificate"):
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
