"""Whether a webhook is asked about a request.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/webhook/generic and predicates. What a webhook says of
resources is compared with the request's own; where it wants equivalent ones too, with each of these, and it is then
sent the object in that version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from podward.api import status
from podward.api.admission import NAMESPACES, AdmissionRequest, GroupResource, Operation
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.strategies.selectors import is_selector, selects
from podward.stages.admission.webhooks.hooks import Hook, Rule

_ANY = "*"
_OF_ADMISSION = "admissionregistration.k8s.io"
_EXEMPT = frozenset(
    (
        "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
    )
)  # fmt: skip
_UNUSABLE = "a selector is not valid"

FindNamespace = Callable[[str], "JsonObject | None"]


class Served(Struct, frozen=True):
    """A version of a resource, and the kind that it has there."""

    group: str
    version: str
    resource: str
    kind: str
    api_version: str
    """Of the kind."""

    @property
    def kind_version(self) -> GroupVersion:
        """The group and version of the kind."""
        return GroupVersion.parse(self.api_version)


class Invocation(Struct, frozen=True):
    """A webhook that is asked, and the request with its objects in the version that it wants."""

    hook: Hook
    asked: AdmissionRequest
    served: Served


def is_exempt(asked: AdmissionRequest) -> bool:
    """Whether no webhook is asked, so that none can keep others, or itself, from being repaired."""
    return asked.kind in _EXEMPT and GroupVersion.parse(asked.api_version).group == _OF_ADMISSION


def own(asked: AdmissionRequest) -> Served:
    """The request's resource as it was asked for."""
    of = asked.resource
    return Served(of.group, asked.version, of.resource, asked.kind, asked.api_version)


def version_asked(
    hook: Hook, asked: AdmissionRequest, others: Sequence[Served], namespace: FindNamespace
) -> Served | Status | None:
    """In which version the webhook is asked; None where it is not; or why that cannot be told.

    `asked.object` is the object as the webhooks before have left it. `others` are the equivalent resources.
    """
    in_it = in_namespace(hook.namespaces, asked, namespace)
    if in_it is False:
        return None
    is_chosen = chosen(hook.objects, asked)
    if is_chosen is False:
        return None
    found = _by_rules(hook, asked, others)
    if found is None:
        return None
    if isinstance(in_it, Status):
        return in_it
    return is_chosen if isinstance(is_chosen, Status) else found


def _by_rules(hook: Hook, asked: AdmissionRequest, others: Sequence[Served]) -> Served | None:
    mine = own(asked)
    if any(matches(rule, asked, mine) for rule in hook.rules):
        return mine
    if hook.equivalent and others:
        for rule in hook.rules:
            for other in others:
                if matches(rule, asked, other):
                    return other
    return None


def matches(rule: Rule, asked: AdmissionRequest, served: Served) -> bool:
    """Whether a rule is about the request, if it is one about this version of the resource."""
    return (
        _listed(asked.operation.value, rule.operations)
        and _listed(served.group, rule.groups)
        and _listed(served.version, rule.versions)
        and any(
            resource in {_ANY, served.resource} and subresource in {_ANY, asked.subresource}
            for resource, subresource in rule.resources
        )
        and _in_scope(rule.scope, asked, served)
    )


def _listed(word: str, known: frozenset[str]) -> bool:
    return word in known or _ANY in known


def _in_scope(scope: str, asked: AdmissionRequest, served: Served) -> bool:
    if scope == _ANY:
        return True
    is_namespace = GroupResource(served.group, served.resource) == NAMESPACES and served.version == "v1"
    in_cluster = is_namespace or not asked.namespace
    return in_cluster if scope == "Cluster" else scope == "Namespaced" and not in_cluster


def in_namespace(selector: JsonObject | None, asked: AdmissionRequest, namespace: FindNamespace) -> bool | Status:
    """Whether the request's namespace is one that the selector selects; None selects all."""
    if selector is None or (not asked.namespace and asked.resource.resource != "namespaces"):
        return True
    if not is_selector(selector):
        return status.internal_error(_UNUSABLE)
    writes = asked.operation in {Operation.CREATE, Operation.UPDATE}
    if asked.resource.resource == "namespaces" and not asked.subresource and writes:
        return selects(selector, _labels(asked.object))
    found = namespace(asked.namespace)
    return status.not_found(NAMESPACES, asked.namespace) if found is None else selects(selector, _labels(found))


def chosen(selector: JsonObject | None, asked: AdmissionRequest) -> bool | Status:
    """Whether the selector selects the object as it is or as it was; None selects all."""
    if selector is None:
        return True
    if not is_selector(selector):
        return status.internal_error(_UNUSABLE)
    return any(selects(selector, _labels(each)) for each in (asked.object, asked.old_object) if each is not None)


def _labels(obj: JsonObject | None) -> JsonObject:
    return member(member(obj, "metadata"), "labels") if obj is not None else {}
