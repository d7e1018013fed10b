"""Who may approve and sign certificate requests, and which certificates nobody may ask for.

Specification: Kubernetes, plugin/pkg/admission/certificates: the plugins CertificateApproval, CertificateSigning and
CertificateSubjectRestriction. Whoever writes the approval of a request must be allowed to `approve` for its signer, and
whoever writes its certificate or conditions to `sign`: the signer itself, or all of its domain (`example.com/*`). No
certificate for clients of the API server may name the group `system:masters`, and a node asks for kubelets'
certificates in its own name alone (plugin NodeRestriction).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Generator
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import MASTERS, NODE_PREFIX, User, node_of
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member

if TYPE_CHECKING:
    from podward.api.status import Status

REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")
APPROVAL, SIGNING, SUBJECT = "CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction"
NODE = "NodeRestriction"
_CLIENTS = "kubernetes.io/kube-apiserver-client"
_KUBELETS = frozenset(("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"))
_NO_REQUEST = "PEM block type must be CERTIFICATE REQUEST"
_DECIDED = ("certificate", "conditions")


class RequestWrite(Struct, frozen=True):
    """Somebody writes a request, or a part of it; `old` is None of one that is created."""

    user: User
    name: str
    subresource: str
    new: JsonObject
    old: JsonObject | None = None


def refusal(write: RequestWrite, disabled: frozenset[str]) -> Generator[Attributes, Answer, Status | None]:
    """Why it may not be written, or None. It yields what the authorizers are asked, and is sent their answers."""
    old = write.old
    if old is None:
        fault = "" if write.subresource else _of_new(write, disabled)
        return status.forbidden(REQUESTS, write.name, fault) if fault else None
    if write.subresource == "approval" and APPROVAL not in disabled:
        return (yield from _for_signer(write, old, "approve"))
    if write.subresource == "status" and SIGNING not in disabled:
        before, after = member(old, "status"), member(write.new, "status")
        if any(before.get(name) != after.get(name) for name in _DECIDED):
            return (yield from _for_signer(write, old, "sign"))
    return None


def _of_new(write: RequestWrite, disabled: frozenset[str]) -> str:
    """What is wrong with a new request."""
    fault = _node(write) if NODE not in disabled else ""
    return fault or (_subject(write.new) if SUBJECT not in disabled else "")


def _for_signer(write: RequestWrite, old: JsonObject, verb: str) -> Generator[Attributes, Answer, Status | None]:
    signer = str(member(old, "spec").get("signerName") or "")
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        answer = yield Attributes(write.user, verb, REQUESTS.group, "signers", name=name)
        if answer.opinion is Opinion.ALLOW:
            return None
    fault = f"user not permitted to {verb} requests with signerName {quote(signer)}"
    return status.forbidden(REQUESTS, write.name, fault)


def _node(write: RequestWrite) -> str:
    """What is wrong with the subject of a kubelet's certificate, where a node asks for one."""
    node = node_of(write.user)
    spec = member(write.new, "spec")
    if node is None or spec.get("signerName") not in _KUBELETS:
        return ""
    try:
        names = _names(spec, NameOID.COMMON_NAME)
    except ValueError:
        return f"unable to parse csr: {_NO_REQUEST}"
    own = f"{NODE_PREFIX}{node}"
    return "" if names == {own} else f"can only create a node CSR with CN={own}"


def _subject(request: JsonObject) -> str:
    """What is wrong with the subject of the certificate that is asked for."""
    spec = member(request, "spec")
    if spec.get("signerName") != _CLIENTS:
        return ""
    try:
        groups = _names(spec, NameOID.ORGANIZATION_NAME)
    except ValueError:
        return f"failed to parse CSR: {_NO_REQUEST}"
    return f"use of {_CLIENTS} signer with system:masters group is not allowed" if MASTERS in groups else ""


def _names(spec: JsonObject, kind: x509.ObjectIdentifier) -> set[str | bytes]:
    """The names of a kind in the subject that a request asks for. Raises ValueError for what is no request."""
    asked = x509.load_pem_x509_csr(b64decode(str(spec.get("request") or "")))
    return {name.value for name in asked.subject.get_attributes_for_oid(kind)}
