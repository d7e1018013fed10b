"""Who may use an SCC.

Specification: OpenShift apiserver-library-go, sccadmission/scc_authz_check.go and sccmatching. Asked only
when an SCC's turn has come, and of two subjects: first the Pod's service account, if the Pod names one, whose groups
are only `system:serviceaccounts` and `system:serviceaccounts:<namespace>`; then the caller. A subject may use the SCC
if its name stands in `users`, or one of its groups in `groups`, or if the authorizer allows it the verb `use` on
securitycontextconstraints.security.openshift.io of that name in the Pod's namespace. An authorizer that denies it or
has no opinion does not allow it. Which subject it was is stored with the Pod.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from podward.api.authorization import Attributes, Authorizer, Opinion
from podward.api.caller import User, service_account
from podward.api.scc import SecurityContextConstraints
from podward.decision import Origin, Source
from podward.path import path

SubjectType: TypeAlias = Literal["serviceaccount", "user"]
"""Whose right it was: the value of the annotation `security.openshift.io/validated-scc-subject-type`."""


_USE, _GROUP, RESOURCE = "use", "security.openshift.io", "securitycontextconstraints"
"""The verb and the resource that an authorizer is asked about."""


def use_of(scc: str, user: User, namespace: str) -> Attributes:
    """The question whether `user` may use this SCC for Pods of this namespace."""
    return Attributes(user, _USE, _GROUP, RESOURCE, "", scc, namespace)


def is_use(wanted: Attributes) -> bool:
    """Whether the question is about the use of an SCC."""
    return wanted == use_of(wanted.name, wanted.user, wanted.namespace)


class Grant(Struct, frozen=True):
    """An SCC's use is granted: to which subject, and by what."""

    subject_type: SubjectType
    user: str
    source: Source


class Members:
    """The users and groups that an SCC names itself; made once per SCC."""

    __slots__ = ("groups", "name", "users")

    def __init__(self, scc: SecurityContextConstraints) -> None:
        self.name = scc.metadata.name or ""
        source = f"scc {self.name}"
        self.users = {
            user: Source(Origin.POLICY, source, path("users", index)) for index, user in enumerate(scc.users or ())
        }
        self.groups = {
            group: Source(Origin.POLICY, source, path("groups", index)) for index, group in enumerate(scc.groups or ())
        }

    def grant(self, user: User) -> Source | None:
        """The entry that names the user, or else the first of its groups that is named."""
        found = self.users.get(user.username) if self.users else None
        if found is None and self.groups:
            found = next((self.groups[group] for group in user.groups if group in self.groups), None)
        return found


class Subjects:
    """The two subjects of one request; the service account's user is made once."""

    __slots__ = ("_asked", "_authorizer", "_namespace")

    def __init__(self, account: str, caller: User, namespace: str, authorizer: Authorizer) -> None:
        asked: list[tuple[SubjectType, User]] = []
        if account:
            asked.append(("serviceaccount", service_account(namespace, account)))
        asked.append(("user", caller))
        self._asked = asked
        self._namespace = namespace
        self._authorizer = authorizer

    def grant(self, members: Members) -> Grant | None:
        """The first right to use the SCC that is found; None if neither subject has one."""
        for subject_type, user in self._asked:
            source = members.grant(user)
            if source is None:
                answer = self._authorizer.authorize(use_of(members.name, user, self._namespace))
                source = answer.source if answer.opinion is Opinion.ALLOW else None
            if source is not None:
                return Grant(subject_type, user.username, source)
        return None
