"""Which admission plugins look at a request: the rows of the tables that the server itself goes by.

Webhooks and policies look at what their own rules say; they are named where they are on, and asked in any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.admission import AdmissionRequest, GroupResource, Operation
from podward.stages.admission import quota
from podward.stages.admission.order import STEPS
from podward.stages.admission.served import PLUGINS
from podward.stages.admission.settings import OFF_BY_DEFAULT
from podward.stages.admission.steps import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.authorization import Attributes
    from podward.api.json_value import JsonObject

_OPERATIONS = {
    "create": Operation.CREATE,
    "update": Operation.UPDATE,
    "patch": Operation.UPDATE,
    "delete": Operation.DELETE,
    "deletecollection": Operation.DELETE,
}
_OPENSHIFT = frozenset(("SecurityContextConstraint", "CSIInlineVolumeSecurity"))
_REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")
_CERTIFICATES = {"": "CertificateSubjectRestriction", "approval": "CertificateApproval", "status": "CertificateSigning"}
_EXEMPT = frozenset(("authentication.k8s.io", "authorization.k8s.io"))


def request_of(wanted: Attributes, kind: str, body: JsonObject | None) -> AdmissionRequest | None:
    """What plugins would be asked; None for what only reads, which they never see."""
    operation = _OPERATIONS.get(wanted.verb)
    if operation is None or wanted.path:
        return None
    resource = GroupResource(wanted.group, wanted.resource)
    obj = None if operation is Operation.DELETE else body or {}
    old: JsonObject | None = None if operation is Operation.CREATE else {}
    return AdmissionRequest(
        operation, obj, wanted.user, wanted.namespace, wanted.name, old, kind, resource, wanted.subresource
    )


def acting(
    request: AdmissionRequest, enabled: frozenset[str] = frozenset(), disabled: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """The plugins that look at it, in their order, each with its phase; `enabled` are those beside the default ones."""
    off = disabled | (OFF_BY_DEFAULT - enabled)
    if request.operation is not Operation.DELETE:
        for plugin in PLUGINS:
            if plugin.mutate is not None and plugin.name not in off and plugin.handles(request):
                yield plugin.name, "mutating"
    elif request.resource == GroupResource("", "namespaces"):
        yield "NamespaceLifecycle", "mutating"
    yield from _later(request, off)


def _later(request: AdmissionRequest, off: frozenset[str]) -> Iterator[tuple[str, str]]:
    webhooks = request.resource.group not in _EXEMPT
    if webhooks:
        yield "MutatingAdmissionPolicy and MutatingAdmissionWebhook", "mutating, those whose rules match"
    writes = request.operation is not Operation.DELETE
    if request.resource == _REQUESTS and writes and (name := _CERTIFICATES.get(request.subresource)):
        yield name, "validating"
    for plugin in PLUGINS if writes else ():
        if plugin.mutate is None and plugin.name not in off and plugin.handles(request):
            yield plugin.name, "validating"
    for step in STEPS:
        plain = step.phase is Phase.VALIDATING and step.name not in _OPENSHIFT | off
        if plain and writes and step.handles(request):
            yield step.name, "validating"
    if webhooks:
        yield "ValidatingAdmissionPolicy and ValidatingAdmissionWebhook", "validating, those whose rules match"
    if "ResourceQuota" not in off and quota.concerns(request):
        yield "ResourceQuota", "validating, where the namespace has a quota"
