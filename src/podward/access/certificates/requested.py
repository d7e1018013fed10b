"""A CertificateSigningRequest as signers see it: what its certificate would say, and how far it has come.

Specification: Kubernetes, pkg/apis/certificates/helpers.go and pkg/controller/certificates.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID
from msgspec import Struct

from podward.api.caller import NODE_PREFIX, NODES
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT, KUBELET_SERVING = "kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"
_SIGNATURE, _ENCIPHERMENT = "digital signature", "key encipherment"
_SERVER, _CLIENT = "server auth", "client auth"


class Requested(Struct, frozen=True):
    """What is asked for: the request inside, its subject and other names, and the usages."""

    inner: x509.CertificateSigningRequest
    common_name: str
    organizations: tuple[str, ...]
    names: tuple[x509.GeneralName, ...]
    usages: tuple[str, ...]


def requested(obj: JsonObject) -> Requested | None:
    """What the object asks for; None where what is inside is no request that can be read."""
    spec = member(obj, "spec")
    try:
        inner = x509.load_pem_x509_csr(b64decode(text(spec, "request")))
        names = _names(inner)
        subject = inner.subject
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    commons = [str(each.value) for each in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = tuple(str(each.value) for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    return Requested(inner, commons[-1] if commons else "", groups, names, tuple(texts(spec, "usages")))


def is_approved(obj: JsonObject) -> bool:
    """Whether it is approved, and not denied."""
    types = {text(each, "type") for each in conditions(obj)}
    return "Approved" in types and "Denied" not in types


def has_failed(obj: JsonObject) -> bool:
    """Whether a signer has refused it."""
    return any(text(each, "type") == "Failed" and text(each, "status") in {"", "True"} for each in conditions(obj))


def conditions(obj: JsonObject) -> list[JsonObject]:
    """How far it has come."""
    return objects(member(obj, "status"), "conditions")


def kubelet_client_fault(asked: Requested) -> str:
    """Why it is no request for the certificate by which a kubelet calls the API server; empty where it is one."""
    fault = _names_forbidden(asked, (*_OF_HOSTS, *_OF_OTHERS))
    return _kubelet_fault(asked, fault, _CLIENT, name_first=True)


def kubelet_serving_fault(asked: Requested) -> str:
    """Why it is no request for the certificate that a kubelet shows; empty where it is one."""
    has_host = any(isinstance(name, x509.DNSName | x509.IPAddress) for name in asked.names)
    fault = "" if has_host else "DNS or IP subjectAltName is required"
    return _kubelet_fault(asked, fault or _names_forbidden(asked, _OF_OTHERS), _SERVER, name_first=False)


def client_fault(asked: Requested) -> str:
    """Why its usages are not those of a client of the API server; empty where they are."""
    for usage in asked.usages:
        if usage not in {_SIGNATURE, _ENCIPHERMENT, _CLIENT}:
            return f"invalid usage for client certificate: {usage}"
    return "" if _CLIENT in asked.usages else f"missing required usage for client certificate: {_CLIENT}"


_OF_HOSTS: tuple[tuple[type[x509.GeneralName], str], ...] = (
    (x509.DNSName, "DNS subjectAltNames are not allowed"),
    (x509.RFC822Name, "Email subjectAltNames are not allowed"),
    (x509.IPAddress, "IP subjectAltNames are not allowed"),
)
_OF_OTHERS: tuple[tuple[type[x509.GeneralName], str], ...] = (
    (x509.RFC822Name, "Email subjectAltNames are not allowed"),
    (x509.UniformResourceIdentifier, "URI subjectAltNames are not allowed"),
)


def _names_forbidden(asked: Requested, kinds: tuple[tuple[type[x509.GeneralName], str], ...]) -> str:
    return next((fault for kind, fault in kinds if any(isinstance(name, kind) for name in asked.names)), "")


def _kubelet_fault(asked: Requested, names: str, usage: str, *, name_first: bool) -> str:
    if asked.organizations != (NODES,):
        return "subject organization is not system:nodes"
    if names:
        return names
    usages, node = frozenset(asked.usages), asked.common_name.startswith(NODE_PREFIX)
    fits = usages in ({_SIGNATURE, usage}, {_SIGNATURE, _ENCIPHERMENT, usage})
    wrong_usages = "" if fits else f"usages did not match [{' '.join(sorted((_SIGNATURE, _ENCIPHERMENT, usage)))}]"
    wrong_name = "" if node else "subject common name does not begin with system:node:"
    return (wrong_name or wrong_usages) if name_first else (wrong_usages or wrong_name)


def _names(inner: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    try:
        return tuple(inner.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()
