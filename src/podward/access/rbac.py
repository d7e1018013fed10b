"""The RBAC authorizer: who may do what, by the roles and bindings of manifests.

Specification: Kubernetes, plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation. ClusterRoleBindings
come first and hold everywhere; RoleBindings hold in their own namespace, and a request outside of namespaces sees none.
A binding holds for a user of its name, for the members of a group, and for a ServiceAccount, whose namespace is the
RoleBinding's if it says none. The first rule that covers the request allows it; nothing denies. A binding to a role
that isn't there gives nothing. Before all that, the group `system:masters` may do anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.aggregation import RoleObject, Rule, own_rules, rules_by_role
from podward.access.matching import Attributes, covers
from podward.access.reading import BindingObject, namespace_of
from podward.api.gotext import quote
from podward.decision import Origin, Source
from podward.path import path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.access.objects import RoleRef, Subject
    from podward.api.caller import User
    from podward.schema.objects import Item

__all__ = ["Allowed", "Attributes", "Dangling", "Rbac"]

MASTERS = "system:masters"
"""Members of this group may do anything, whatever the roles say."""

_SCCS = ("security.openshift.io", "securitycontextconstraints")


class Allowed(Struct, frozen=True):
    """What allows a request: a rule, and the binding whose subject the user is; neither for `system:masters`."""

    binding: BindingObject | None
    subject: int
    rule: Rule | None
    source: Source

    @property
    def reason(self) -> str:
        """The authorizer's sentence."""
        if self.binding is None:
            return f"the group {MASTERS} may do anything"
        view, item = self.binding.view, self.binding.item
        name = f"{item.name}/{self.binding.namespace}" if self.binding.namespace else item.name
        subject = _described((view.subjects or ())[self.subject], self.binding.namespace)
        role = view.role_ref
        return f"RBAC: allowed by {item.kind} {quote(name)} of {role.kind} {quote(role.name or '')} to {subject}"


class Dangling(Struct, frozen=True):
    """A binding to a role that isn't there."""

    binding: BindingObject

    def __str__(self) -> str:
        role, item = self.binding.view.role_ref, self.binding.item
        lost = f'{role.kind} "{role.name}"'
        if role.kind == "Role":
            lost += f' of namespace "{self.binding.namespace}"'
        return f'{item.where(path("roleRef"))}: {item.kind} "{item.name}": there is no {lost}: it grants nothing'


class _Grants:
    """What bindings of one scope give, by whom they give it to; numbers keep the bindings' order."""

    __slots__ = ("groups", "users")

    def __init__(self) -> None:
        self.users: dict[str, list[tuple[int, int, BindingObject, tuple[Rule, ...]]]] = {}
        self.groups: dict[str, list[tuple[int, int, BindingObject, tuple[Rule, ...]]]] = {}

    def add(self, number: int, binding: BindingObject, rules: tuple[Rule, ...]) -> None:
        for index, subject in enumerate(binding.view.subjects or ()):
            grant = (number, index, binding, rules)
            if subject.kind == "User":
                self.users.setdefault(subject.name or "", []).append(grant)
            elif subject.kind == "Group":
                self.groups.setdefault(subject.name or "", []).append(grant)
            elif namespace := subject.namespace or binding.namespace:
                self.users.setdefault(f"system:serviceaccount:{namespace}:{subject.name}", []).append(grant)

    def allows(self, user: User, wanted: Attributes) -> Allowed | None:
        """The first rule, in the bindings' order, that covers it."""
        found = list(self.users.get(user.username, ()))
        for group in user.groups:
            found += self.groups.get(group, ())
        found.sort(key=_place)
        for _, subject, binding, rules in found:
            for rule in rules:
                if covers(rule.policy, wanted):
                    return Allowed(binding, subject, rule, _source(binding.item, subject))
        return None


class Rbac:
    """Roles and bindings, prepared once for many questions; `dangling` are the bindings to roles that aren't there."""

    __slots__ = ("_cluster", "_namespaces", "dangling")

    def __init__(self, roles: Iterable[RoleObject], bindings: Iterable[BindingObject]) -> None:
        local: dict[tuple[str, str], tuple[Rule, ...]] = {}
        shared: dict[str, RoleObject] = {}
        for role in roles:
            if namespace := namespace_of(role.item):
                local[namespace, role.item.name] = own_rules(role)
            else:
                shared[role.item.name] = role
        collected = rules_by_role(shared)
        self._cluster = _Grants()
        self._namespaces: dict[str, _Grants] = {}
        dangling: list[Dangling] = []
        for number, binding in enumerate(bindings):
            rules = _rules(binding.view.role_ref, binding.namespace, local, collected)
            if rules is None:
                dangling.append(Dangling(binding))
                continue
            scope = self._namespaces.setdefault(binding.namespace, _Grants()) if binding.namespace else self._cluster
            scope.add(number, binding, rules)
        self.dangling = tuple(dangling)

    def allows(self, user: User, wanted: Attributes) -> Allowed | None:
        """What allows `user` to do it; None if nothing does."""
        if MASTERS in user.groups:
            return Allowed(None, 0, None, Source(Origin.RULE, f"Kubernetes, group {MASTERS}"))
        found = self._cluster.allows(user, wanted)
        if found is None and wanted.namespace in self._namespaces:
            found = self._namespaces[wanted.namespace].allows(user, wanted)
        return found

    def may_use(self, user: User, scc: str, namespace: str) -> Allowed | None:
        """What allows `user` to use this SCC for Pods of this namespace; None if nothing does."""
        group, resource = _SCCS
        return self.allows(user, Attributes("use", group, resource, name=scc, namespace=namespace))

    def grant(self, user: User, scc: str, namespace: str) -> Source | None:
        """The same for those who ask for the source alone: the `Uses` of `podward.policy.scc.access`."""
        allowed = self.may_use(user, scc, namespace)
        return None if allowed is None else allowed.source


def _rules(
    role: RoleRef, namespace: str, local: dict[tuple[str, str], tuple[Rule, ...]], shared: dict[str, tuple[Rule, ...]]
) -> tuple[Rule, ...] | None:
    name = role.name or ""
    return local.get((namespace, name)) if role.kind == "Role" else shared.get(name)


def _place(grant: tuple[int, int, BindingObject, tuple[Rule, ...]]) -> tuple[int, int]:
    return grant[:2]


def _source(item: Item, subject: int) -> Source:
    place = item.at / "subjects" / subject
    line = item.document.line_of(place)
    if line is not None:
        return Source(Origin.POLICY, item.document.name, place, line)
    return Source(Origin.POLICY, f"{item.document.name}, {item.kind} {item.name}")


def _described(subject: Subject, namespace: str) -> str:
    name = subject.name or ""
    if subject.kind == "ServiceAccount":
        name = f"{name}/{subject.namespace or namespace}"
    return f"{subject.kind} {quote(name)}"
