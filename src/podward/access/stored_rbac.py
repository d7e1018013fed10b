"""The RBAC authorizer of a server: over roles and bindings that come, change and go.

Specification: Kubernetes, plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation, as `podward.access.rbac`
says it for objects in files. Two things are a server's own: a role has the rules that are stored in it, since a
controller writes those of an aggregated one; and a binding to a role that isn't there is an error, which is the reason
where nothing else allows the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.aggregation import own_rules
from podward.access.errors import aggregated
from podward.access.known_rules import KnownRules
from podward.access.objects import GROUP, ROLE_KINDS, RoleObject
from podward.access.rbac import Granted
from podward.access.reading import stored
from podward.access.role_index import RoleIndex
from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.api.caller import account_username
from podward.api.gotext import quote
from podward.path import path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.access.aggregation import Rule
    from podward.access.objects import BindingObject, RoleRef, Subject
    from podward.api.authorization import Attributes
    from podward.api.caller import User
    from podward.api.json_value import JsonObject

_SUBJECTS = path("subjects")


class _Bindings:
    """The bindings of one namespace, or of the cluster, by their name and by whom they are for."""

    __slots__ = ("_by_group", "_by_name", "_by_user")

    def __init__(self) -> None:
        self._by_name: dict[str, BindingObject] = {}
        self._by_user: dict[str, dict[str, int]] = {}
        self._by_group: dict[str, dict[str, int]] = {}

    def put(self, binding: BindingObject) -> None:
        self.remove(binding.name)
        self._by_name[binding.name] = binding
        for index, subject in enumerate(binding.view.subjects or ()):
            table, who = self._place(subject, binding.namespace)
            if who is not None:
                table.setdefault(who, {}).setdefault(binding.name, index)

    def remove(self, name: str) -> None:
        gone = self._by_name.pop(name, None)
        for subject in (gone.view.subjects or ()) if gone is not None else ():
            table, who = self._place(subject, gone.namespace if gone is not None else "")
            if who is not None and who in table:
                table[who].pop(name, None)
                if not table[who]:
                    del table[who]

    def all(self) -> Iterator[BindingObject]:
        """Each of them."""
        yield from self._by_name.values()

    def of(self, user: User) -> Iterator[tuple[BindingObject, int]]:
        """The bindings that hold for the user, by name, each with the first of its subjects that the user is."""
        found: dict[str, int] = {}
        for table, names in ((self._by_user, (user.username,)), (self._by_group, user.groups)):
            for who in names:
                for name, index in table.get(who, _NONE).items():
                    found[name] = min(index, found.get(name, index))
        for name in sorted(found):
            yield self._by_name[name], found[name]

    def _place(self, subject: Subject, namespace: str) -> tuple[dict[str, dict[str, int]], str | None]:
        if subject.kind == "Group":
            return self._by_group, subject.name or ""
        if subject.kind == "User":
            return self._by_user, subject.name or ""
        where = subject.namespace or namespace
        is_account = subject.kind == "ServiceAccount" and bool(where)
        return self._by_user, account_username(where, subject.name or "") if is_account else None


_NONE: dict[str, int] = {}


class StoredRbac:
    """Roles and bindings as they are stored at the moment: `put` what is new, `remove` what is deleted, and ask."""

    __slots__ = ("_bindings", "_roles")

    def __init__(self) -> None:
        self._roles: dict[tuple[str, str], RoleIndex] = {}
        self._bindings: dict[str, _Bindings] = {}

    def put(self, kind: str, raw: JsonObject) -> None:
        """A role or a binding that was created or changed."""
        found = stored(kind, raw)
        if isinstance(found, RoleObject):
            self._roles[found.namespace, found.name] = RoleIndex(own_rules(found))
        else:
            self._bindings.setdefault(found.namespace, _Bindings()).put(found)

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """A role or a binding that was deleted."""
        if kind in ROLE_KINDS:
            self._roles.pop((namespace, name), None)
        elif namespace in self._bindings:
            self._bindings[namespace].remove(name)

    def rules_of(self, role: RoleRef, namespace: str) -> tuple[Rule, ...] | None:
        """The rules of the role that a binding in this namespace refers to; None if it isn't there."""
        index = self._role(role, namespace)
        return None if index is None else index.rules

    def rules_for(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """Every rule that holds for the user there, and what could not be found out."""
        rules: list[Rule] = []
        errors: list[str] = []
        for binding, _ in self._applying(user, namespace):
            index = self._role(binding.view.role_ref, binding.namespace)
            if index is None:
                errors.append(_missing(binding.view.role_ref))
            else:
                rules += index.rules
        return rules, errors

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """The same as authorizers list it."""
        rules, errors = self.rules_for(user, namespace)
        return KnownRules(tuple(rule.policy for rule in rules), tuple(errors))

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed by a binding, or no opinion; what could not be found out is then the reason."""
        errors: list[str] = []
        for binding, subject in self._applying(wanted.user, wanted.namespace):
            index = self._role(binding.view.role_ref, binding.namespace)
            if index is None:
                errors.append(_missing(binding.view.role_ref))
            elif (rule := index.first(wanted)) is not None:
                source = binding.source(_SUBJECTS / subject)
                return Granted(Opinion.ALLOW, source, binding=binding, subject=subject, rule=rule)
        return Answer(message=f"RBAC: {aggregated(errors)}") if errors else NO_OPINION

    def subjects_of(self, wanted: Attributes) -> tuple[list[tuple[Subject, str]], list[str]]:
        """Whom bindings allow it, whoever asks, with the binding's namespace; and what could not be found out."""
        found: list[tuple[Subject, str]] = []
        errors: list[str] = []
        for scope in ("", wanted.namespace) if wanted.namespace else ("",):
            for binding in self._bindings[scope].all() if scope in self._bindings else ():
                index = self._role(binding.view.role_ref, binding.namespace)
                if index is None:
                    errors.append(_missing(binding.view.role_ref))
                elif index.first(wanted) is not None:
                    found += [(subject, binding.namespace) for subject in binding.view.subjects or ()]
        return found, errors

    def _applying(self, user: User, namespace: str) -> Iterator[tuple[BindingObject, int]]:
        for scope in ("", namespace) if namespace else ("",):
            bindings = self._bindings.get(scope)
            if bindings is not None:
                yield from bindings.of(user)

    def _role(self, role: RoleRef, namespace: str) -> RoleIndex | None:
        return self._roles.get((namespace if role.kind == "Role" else "", role.name or ""))


def _missing(role: RoleRef) -> str:
    return f"{(role.kind or '').lower()}.{GROUP} {quote(role.name or '')} not found"
