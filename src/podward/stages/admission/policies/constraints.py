"""Whether a policy, or a binding of one, is about a request.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy/matching/matching.go: what is excluded is
excluded whatever else matches; without rules everything is matched. What webhooks are matched by is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from podward.api.admission import AdmissionRequest
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.selectors import is_empty, is_selector
from podward.schema.validation.raw import pointer, texts
from podward.stages.admission.webhooks.hooks import Rule
from podward.stages.admission.webhooks.matching import FindNamespace, Served, chosen, in_namespace, matches, own

_POLICIES = frozenset(
    (
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    )
)  # fmt: skip


def is_exempt(asked: AdmissionRequest) -> bool:
    """Whether no policy is about it, so that none can keep itself from being repaired."""
    return asked.kind in _POLICIES and GroupVersion.parse(asked.api_version).group == "admissionregistration.k8s.io"


class NamedRule(Struct, frozen=True):
    """A rule about resources, of these names alone if there are any."""

    rule: Rule
    names: frozenset[str]

    def matches(self, asked: AdmissionRequest, served: Served) -> bool:
        """Whether it is about the request, if it is one about this version of the resource."""
        return matches(self.rule, asked, served) and (not self.names or asked.name in self.names)


class Constraints(Struct, frozen=True):
    """What a policy or a binding is about. `namespaces` and `objects` are selectors; None selects everything."""

    namespaces: JsonObject | None
    objects: JsonObject | None
    rules: tuple[NamedRule, ...]
    excluded: tuple[NamedRule, ...]
    equivalent: bool

    @classmethod
    def read(cls, of: JsonObject) -> Constraints:
        """Those of a policy's `matchConstraints`, or of a binding's `matchResources`."""
        return cls(
            _selector(of, "namespaceSelector"),
            _selector(of, "objectSelector"),
            _rules(of, "resourceRules"),
            _rules(of, "excludeResourceRules"),
            pointer(of, "matchPolicy") != "Exact",
        )

    def version_asked(
        self, asked: AdmissionRequest, others: Sequence[Served], namespace: FindNamespace
    ) -> Served | Status | None:
        """In which version the request is looked at; None where it is not; or why that cannot be told."""
        in_it, is_chosen = in_namespace(self.namespaces, asked, namespace), chosen(self.objects, asked)
        if in_it is False or is_chosen is False or self._found(self.excluded, asked, others) is not None:
            return None
        found = self._found(self.rules, asked, others) if self.rules else own(asked)
        if found is None:
            return None
        if isinstance(in_it, Status):
            return in_it
        return is_chosen if isinstance(is_chosen, Status) else found

    def _found(self, rules: tuple[NamedRule, ...], asked: AdmissionRequest, others: Sequence[Served]) -> Served | None:
        mine = own(asked)
        if any(rule.matches(asked, mine) for rule in rules):
            return mine
        if not self.equivalent:
            return None
        return next((other for rule in rules for other in others if rule.matches(asked, other)), None)


def _rules(of: JsonObject, name: str) -> tuple[NamedRule, ...]:
    return tuple(NamedRule(Rule.read(rule), frozenset(texts(rule, "resourceNames"))) for rule in objects(of, name))


def _selector(of: JsonObject, name: str) -> JsonObject | None:
    selector = member(of, name)
    return None if is_empty(selector) and is_selector(selector) else selector
