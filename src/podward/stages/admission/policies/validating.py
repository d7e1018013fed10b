"""What a policy says to a request.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy/validating/validator.go, pkg/admission/plugin/
webhook/matchconditions, pkg/admission/plugin/cel. First the match conditions: one that is false ends it; then every
validation, then the annotations for the audit log. What fails refuses, unless the policy ignores failures.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.admission import AdmissionRequest
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.schema.cel.authorizing import Ask, Question, authorizer, resource_check
from podward.schema.cel.environment import BUDGET, CelValue, Expression, Failed
from podward.stages.admission.policies.policy import Compiled, Policy, Validation
from podward.stages.admission.webhooks.matching import Served, own
from podward.stages.admission.webhooks.reviews import kind_words, resource_words

_TOO_LONG = "operation cancelled: actual cost limit exceeded"
_LONGEST_MESSAGE = 5 * 1024
_METADATA = (
    "name", "generateName", "namespace", "uid", "labels", "annotations", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "generation", "resourceVersion", "finalizers",
)  # fmt: skip


class Denial(Struct, frozen=True):
    """A validation that a request does not pass: which, why, and the reason of the refusal."""

    index: int
    message: str
    reason: str = "Invalid"


class Opinion(Struct, frozen=True):
    """What a policy says: what refuses, failures that refuse whatever is bound, annotations for the audit log."""

    denials: tuple[Denial, ...] = ()
    broken: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


class Facts(Struct, frozen=True):
    """A request as policies see it: with its objects in the version that was matched, and the namespace that it is in.

    `ask` answers what expressions ask of the authorizer.
    """

    asked: AdmissionRequest
    served: Served
    namespace: JsonObject | None
    ask: Ask | None = None

    def variables(self) -> dict[str, CelValue]:
        """What expressions may speak of, but for parameters."""
        asked = self.asked
        about = Question(
            group=self.served.group,
            resource=asked.resource.resource,
            subresource=asked.subresource,
            namespace=asked.namespace,
            name=asked.name,
        )
        return {
            "object": asked.object,
            "oldObject": asked.old_object,
            "request": _request(asked, self.served),
            "namespaceObject": _namespace(self.namespace) if self.namespace is not None else None,
            "authorizer": authorizer(),
            "authorizer.requestResource": resource_check(about),
            "variables": {},
        }


def opinion(policy: Policy, facts: Facts, params: JsonObject | None) -> Opinion:
    """What the policy says to the request, with these parameters."""
    variables = facts.variables()
    variables["params"] = params
    matched = matching(policy.conditions, variables, facts.ask)
    if isinstance(matched, Failed):
        return Opinion(() if policy.ignores_failures else (Denial(0, matched.reason),))
    if not matched:
        return Opinion()
    denials: list[Denial] = []
    for index, validation in enumerate(policy.validations):
        found = evaluated(validation.expression, validation.text, variables, facts.ask)
        if isinstance(found, Failed):
            if not policy.ignores_failures:
                denials.append(Denial(index, found.reason))
        elif found is not True:
            denials.append(Denial(index, _message(validation, variables), validation.reason))
    broken: list[str] = []
    annotations: list[tuple[str, str]] = []
    for key, text, expression in policy.annotations:
        value = evaluated(expression, text, variables, facts.ask)
        if isinstance(value, Failed):
            broken += [] if policy.ignores_failures else [value.reason]
        elif isinstance(value, str) and value.strip():
            annotations.append((key, value.strip()))
    return Opinion(tuple(denials), tuple(broken), tuple(annotations))


def matching(
    conditions: tuple[tuple[str, Compiled], ...], variables: Mapping[str, CelValue], ask: Ask | None
) -> bool | Failed:
    """Whether all conditions are true. One that is false says so, whatever becomes of the others."""
    failures: list[str] = []
    for _, expression in conditions:
        found = evaluated(expression, expression.text if isinstance(expression, Expression) else "", variables, ask)
        if isinstance(found, Failed):
            failures.append(found.reason)
        elif found is False:
            return False
    if not failures:
        return True
    return Failed(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")


def evaluated(expression: Compiled, text: str, variables: Mapping[str, CelValue], ask: Ask | None) -> CelValue | Failed:
    """What an expression yields; why it yields nothing, in the server's words."""
    if not isinstance(expression, Expression):
        return Failed(expression.reason)
    found = expression.evaluate(variables, ask)
    if not isinstance(found, Failed):
        return found
    why = _TOO_LONG if found.reason == BUDGET else found.reason
    return Failed(f"expression '{text}' resulted in error: {why}")


def _message(validation: Validation, variables: Mapping[str, CelValue]) -> str:
    found = validation.told.evaluate(variables) if isinstance(validation.told, Expression) else None
    if isinstance(found, str):
        told = found.strip()
        if told and len(told.encode()) <= _LONGEST_MESSAGE and "\n" not in told:
            return told
    return validation.message or f"failed expression: {validation.text.strip()}"


def _request(asked: AdmissionRequest, served: Served) -> dict[str, CelValue]:
    """The request without its objects; what is empty is left out."""
    mine, user = own(asked), asked.user
    groups: list[CelValue] = [*user.groups]
    extra: dict[str, CelValue] = {}
    for name, values in user.extra.items():
        listed: list[CelValue] = [*values]
        extra[name] = listed
    known: dict[str, CelValue] = {"username": user.username, "uid": user.uid, "groups": groups, "extra": extra}
    words = {
        "name": asked.name, "namespace": asked.namespace, "subResource": asked.subresource,
        "requestSubResource": asked.subresource,
    }  # fmt: skip
    return {
        "kind": kind_words(served),
        "resource": resource_words(served),
        "requestKind": kind_words(mine),
        "requestResource": resource_words(mine),
        "operation": asked.operation.value,
        "userInfo": {name: value for name, value in known.items() if value},
        "dryRun": asked.dry_run,
        "options": asked.options,
        **{name: word for name, word in words.items() if word},
    }


def _namespace(namespace: JsonObject) -> dict[str, CelValue]:
    """What expressions see of a namespace."""
    metadata = member(namespace, "metadata")
    seen: dict[str, CelValue] = {name: metadata[name] for name in _METADATA if name in metadata}
    return {"metadata": seen, "spec": member(namespace, "spec"), "status": member(namespace, "status")}
