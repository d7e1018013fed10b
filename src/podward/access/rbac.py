"""The RBAC authorizer: who may do what, by roles and bindings, whether a file or a server's store has them.

Specification: Kubernetes, plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation. ClusterRoleBindings
come first and hold everywhere; RoleBindings hold in their own namespace, and a request outside of namespaces sees none.
A binding holds for a user of its name, for the members of a group, and for a ServiceAccount, whose namespace is the
RoleBinding's if it says none. The first rule that covers the request allows it; nothing denies. A binding to a role
that isn't there gives nothing. Before all that, the group `system:masters` may do anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from podward.access.aggregation import Rule, own_rules, rules_by_role
from podward.access.matching import covers
from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.api.caller import MASTERS, account_username
from podward.api.gotext import quote
from podward.decision import Origin, Source
from podward.path import path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from podward.access.objects import BindingObject, RoleObject, RoleRef, Subject
    from podward.api.authorization import Attributes

_MASTERS_MAY = Answer(
    Opinion.ALLOW, Source(Origin.RULE, f"Kubernetes, group {MASTERS}"), f"the group {MASTERS} may do anything"
)
_SUBJECTS = path("subjects")


class Granted(Answer, frozen=True, kw_only=True):
    """What allows a request: a rule of a role, and the binding whose subject the user is, with the subject's place."""

    binding: BindingObject
    subject: int
    rule: Rule

    @property
    def reason(self) -> str:
        """The authorizer's sentence."""
        binding = self.binding
        name = f"{binding.name}/{binding.namespace}" if binding.namespace else binding.name
        subject = _described((binding.view.subjects or ())[self.subject], binding.namespace)
        role = binding.view.role_ref
        return f"RBAC: allowed by {binding.kind} {quote(name)} of {role.kind} {quote(role.name or '')} to {subject}"


class Dangling(Struct, frozen=True):
    """A binding to a role that isn't there."""

    binding: BindingObject

    def __str__(self) -> str:
        binding, role = self.binding, self.binding.view.role_ref
        lost = f'{role.kind} "{role.name}"'
        if role.kind == "Role":
            lost += f' of namespace "{binding.namespace}"'
        where = f"{binding.item.where(path('roleRef'))}: " if binding.item is not None else ""
        return f'{where}{binding.kind} "{binding.name}": there is no {lost}: it grants nothing'


_Grant: TypeAlias = "tuple[int, int, BindingObject, tuple[Rule, ...]]"
"""The number of a binding, that of the subject in it, and the rules that the binding gives."""


class _Grants:
    """What bindings of one scope give, by whom they give it to; numbers keep the bindings' order."""

    __slots__ = ("groups", "users")

    def __init__(self) -> None:
        self.users: dict[str, list[_Grant]] = {}
        self.groups: dict[str, list[_Grant]] = {}

    def add(self, number: int, binding: BindingObject, rules: tuple[Rule, ...]) -> None:
        for index, subject in enumerate(binding.view.subjects or ()):
            grant = (number, index, binding, rules)
            if subject.kind == "User":
                self.users.setdefault(subject.name or "", []).append(grant)
            elif subject.kind == "Group":
                self.groups.setdefault(subject.name or "", []).append(grant)
            elif namespace := subject.namespace or binding.namespace:
                self.users.setdefault(account_username(namespace, subject.name or ""), []).append(grant)

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed by the first rule, in the bindings' order, that covers it."""
        user = wanted.user
        found: Sequence[_Grant] = self.users.get(user.username, ())
        for group in user.groups:
            more = self.groups.get(group)
            if more is not None:
                found = sorted([*found, *more], key=_place) if found else more
        for _, subject, binding, rules in found:
            for rule in rules:
                if covers(rule.policy, wanted):
                    source = binding.source(_SUBJECTS / subject)
                    return Granted(Opinion.ALLOW, source, binding=binding, subject=subject, rule=rule)
        return NO_OPINION


class Rbac:
    """Roles and bindings, prepared once for many questions; `dangling` are the bindings to roles that aren't there."""

    __slots__ = ("_cluster", "_namespaces", "dangling")

    def __init__(self, roles: Iterable[RoleObject], bindings: Iterable[BindingObject]) -> None:
        local: dict[tuple[str, str], tuple[Rule, ...]] = {}
        shared: dict[str, RoleObject] = {}
        for role in roles:
            if role.namespace:
                local[role.namespace, role.name] = own_rules(role)
            else:
                shared[role.name] = role
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

    def grants(self) -> Iterator[tuple[BindingObject, tuple[Rule, ...]]]:
        """Every binding to a role that is there, with the rules that it gives."""
        for scope in (self._cluster, *self._namespaces.values()):
            for found in (*scope.users.values(), *scope.groups.values()):
                yield from ((binding, rules) for _, _, binding, rules in found)

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed by a binding, or no opinion."""
        if MASTERS in wanted.user.groups:
            return _MASTERS_MAY
        found = self._cluster.authorize(wanted)
        if found is NO_OPINION and wanted.namespace in self._namespaces:
            found = self._namespaces[wanted.namespace].authorize(wanted)
        return found


def _rules(
    role: RoleRef, namespace: str, local: dict[tuple[str, str], tuple[Rule, ...]], shared: dict[str, tuple[Rule, ...]]
) -> tuple[Rule, ...] | None:
    name = role.name or ""
    return local.get((namespace, name)) if role.kind == "Role" else shared.get(name)


def _place(grant: _Grant) -> tuple[int, int]:
    return grant[:2]


def _described(subject: Subject, namespace: str) -> str:
    name = subject.name or ""
    if subject.kind == "ServiceAccount":
        name = f"{name}/{subject.namespace or namespace}"
    return f"{subject.kind} {quote(name)}"
