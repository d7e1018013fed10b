"""Who may use an SCC, and whose right it was."""

from __future__ import annotations

from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.scc.access import Members, Subjects
from podward.schema.scc.reading import scc_view

RBAC = Source(Origin.POLICY, "clusterrolebinding x")
ALICE = User("alice", ("dev", "system:authenticated"))


class Allowing:
    """RBAC that allows some users, and remembers what it was asked."""

    def __init__(self, *users: str) -> None:
        self.users = users
        self.asked: list[tuple[str, str, str]] = []

    def authorize(self, wanted: Attributes) -> Answer:
        user = wanted.user
        self.asked.append((user.username, wanted.name, wanted.namespace))
        granted = user.username in self.users or set(user.groups) & set(self.users)
        return Answer(Opinion.ALLOW, RBAC) if granted else NO_OPINION


def members(users: list[str], groups: list[str]) -> Members:
    return Members(scc_view({"metadata": {"name": "x"}, "users": [*users], "groups": [*groups]}))


def test_the_service_account_is_asked_first_and_the_caller_only_if_it_has_no_right() -> None:
    account = "system:serviceaccount:ns:builder"
    uses = Allowing(account, "alice")
    grant = Subjects("builder", ALICE, "ns", uses).grant(members([], []))
    assert grant is not None
    assert (grant.subject_type, grant.user, grant.source) == ("serviceaccount", account, RBAC)
    assert uses.asked == [(account, "x", "ns")]

    uses = Allowing("alice")
    grant = Subjects("builder", ALICE, "ns", uses).grant(members([], []))
    assert grant is not None
    assert (grant.subject_type, grant.user) == ("user", "alice")
    assert uses.asked == [(account, "x", "ns"), ("alice", "x", "ns")]


def test_a_pod_without_a_service_account_has_only_its_caller() -> None:
    uses = Allowing("system:serviceaccounts")
    assert Subjects("", ALICE, "ns", uses).grant(members([], [])) is None
    assert uses.asked == [("alice", "x", "ns")]


def test_the_sccs_own_users_and_groups_come_before_rbac() -> None:
    uses = Allowing("alice")
    grant = Subjects("", ALICE, "ns", uses).grant(members(["bob", "alice"], ["dev"]))
    assert grant is not None
    assert grant.source == Source(Origin.POLICY, "scc x", path("users", 1))
    grant = Subjects("", ALICE, "ns", uses).grant(members(["bob"], ["ops", "dev"]))
    assert grant is not None
    assert grant.source == Source(Origin.POLICY, "scc x", path("groups", 1))
    assert uses.asked == []


def test_a_service_account_is_in_two_groups_and_is_not_authenticated() -> None:
    for group, has in (
        ("system:serviceaccounts", True),
        ("system:serviceaccounts:ns", True),
        ("system:serviceaccounts:other", False),
        ("system:authenticated", False),
    ):
        grant = Subjects("builder", User(), "ns", Allowing()).grant(members([], [group]))
        assert (grant is not None) == has, group


def test_names_are_compared_as_they_are() -> None:
    assert Subjects("", ALICE, "ns", Allowing()).grant(members(["Alice", "*"], ["DEV", "*"])) is None
