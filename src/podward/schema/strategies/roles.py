"""Roles, ClusterRoles and their bindings.

Specification: Kubernetes, pkg/apis/rbac/validation and the strategies in pkg/registry/rbac. Who may grant what is for
the authorizer to say. A rule about URLs has no resources, and stands in a ClusterRole; what a binding refers to never
changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import by, changes, in_order, walks
from podward.schema.strategies.selectors import is_selector
from podward.schema.strategies.strategy import Strategy, Validate
from podward.schema.validation.field import NOTHING, ROOT, Place, each, invalid_value, required, unsupported_text
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import text, texts
from podward.schema.validation.rules import Code, Each, Inside
from podward.schema.validation.walk import CodeRule, Scope

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_GROUP = "rbac.authorization.k8s.io"


def _rule(namespaced: str) -> CodeRule:
    def check(rule: JsonObject, _scope: Scope, at: Place) -> Decision:
        found = [] if rule.get("verbs") else [required(at / "verbs", "verbs must contain at least one value")]
        urls: Json = list(texts(rule, "nonResourceURLs"))
        if urls:
            if namespaced:
                found.append(invalid_value(at / "nonResourceURLs", urls, namespaced))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                detail = "rules cannot apply to both regular resources and non-resource URLs"
                found.append(invalid_value(at / "nonResourceURLs", urls, detail))
        else:
            if not rule.get("apiGroups"):
                found.append(required(at / "apiGroups", "resource rules must supply at least one api group"))
            if not rule.get("resources"):
                found.append(required(at / "resources", "resource rules must supply at least one resource"))
        return merge(*found) if found else NOTHING

    return check


def _aggregation(rule: JsonObject, scope: Scope, at: Place) -> Decision:
    place, selectors = at / "clusterRoleSelectors", objects(rule, "clusterRoleSelectors")
    if not selectors:
        return required(place, "at least one clusterRoleSelector required if aggregationRule is non-nil")
    found: list[Decision] = []
    for index, selector in enumerate(selectors):
        found.append(scope.check("LabelSelector", selector, place / index))
        if not is_selector(selector):
            found.append(invalid_value(place / index, None, "invalid label selector."))
    return merge(*found)


def _role_reference(*kinds: str) -> CodeRule:
    def check(reference: JsonObject, _scope: Scope, at: Place) -> Decision:
        found: list[Decision] = []
        group, kind, name = text(reference, "apiGroup"), text(reference, "kind"), text(reference, "name")
        if group != _GROUP:
            found.append(unsupported_text(at / "apiGroup", group, (_GROUP,)))
        if kind not in kinds:
            found.append(unsupported_text(at / "kind", kind, kinds))
        if not name:
            found.append(required(at / "name"))
        elif faults := names.segment_faults(name):
            found.append(each(at / "name", name, faults))
        return merge(*found) if found else NOTHING

    return check


def _subject(need_of_namespace: str) -> CodeRule:
    def check(subject: JsonObject, _scope: Scope, at: Place) -> Decision:
        kind, name, group = text(subject, "kind"), text(subject, "name"), text(subject, "apiGroup")
        found = [] if name else [required(at / "name")]
        if kind == "ServiceAccount":
            if name and (faults := subdomain_faults(name)):
                found.append(each(at / "name", name, faults))
            if group:
                found.append(unsupported_text(at / "apiGroup", group, ("",)))
            if need_of_namespace and not text(subject, "namespace"):
                found.append(required(at / "namespace"))
        elif kind in {"User", "Group"}:
            if group != _GROUP:
                found.append(unsupported_text(at / "apiGroup", group, (_GROUP,)))
        else:
            found.append(unsupported_text(at / "kind", kind, ("ServiceAccount", "User", "Group")))
        return merge(*found) if found else NOTHING

    return check


_WALKS = walks(
    {
        "Role": (Each("rules", "PolicyRule/in a namespace"),),
        "ClusterRole": (Each("rules", "PolicyRule"), Inside("aggregationRule", "AggregationRule")),
        "PolicyRule": (Code(_rule("")),),
        "PolicyRule/in a namespace": (Code(_rule("namespaced rules cannot apply to non-resource URLs")),),
        "AggregationRule": (Code(_aggregation),),
        "RoleBinding": (
            Inside("roleRef", "RoleRef/in a namespace", even_absent=True),
            Each("subjects", "Subject/in a namespace"),
        ),
        "ClusterRoleBinding": (Inside("roleRef", "RoleRef", even_absent=True), Each("subjects", "Subject")),
        "RoleRef/in a namespace": (Code(_role_reference("Role", "ClusterRole")),),
        "RoleRef": (Code(_role_reference("ClusterRole")),),
        "Subject/in a namespace": (Code(_subject("")),),
        "Subject": (Code(_subject("needed")),),
    }
)


def _same_role(obj: JsonObject, old: JsonObject) -> Decision:
    new, before = member(obj, "roleRef"), member(old, "roleRef")
    fields = {"APIGroup": "apiGroup", "Kind": "kind", "Name": "name"}
    if all(text(new, name) == text(before, name) for name in fields.values()):
        return NOTHING
    shown: JsonObject = {printed: text(new, name) for printed, name in fields.items()}
    return invalid_value(ROOT / "roleRef", shown, "cannot change roleRef")


def _strategy(
    validate: Validate, *more: Callable[[JsonObject, JsonObject], Decision], namespaced: bool = True
) -> Strategy:
    return Strategy(
        validate=validate,
        validate_update=changes(lambda obj, _old: validate(obj), object_meta.changed, *more),
        namespaced=namespaced,
        allow_create_on_update=True,
    )


def _new(of: str, *, namespaced: bool) -> Validate:
    return in_order(object_meta.new(names.ROLE, namespaced=namespaced), by(of, _WALKS))


ROLE = _strategy(_new("Role", namespaced=True))
CLUSTER_ROLE = _strategy(_new("ClusterRole", namespaced=False), namespaced=False)
ROLE_BINDING = _strategy(_new("RoleBinding", namespaced=True), _same_role)
CLUSTER_ROLE_BINDING = _strategy(_new("ClusterRoleBinding", namespaced=False), _same_role, namespaced=False)
