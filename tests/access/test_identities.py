"""Users as impersonation makes them, and who creates the Pods of each kind of workload."""

from __future__ import annotations

import pytest

from podward.access.identities import SOMEBODY, creator_of_pods, impersonated
from podward.api.caller import User
from podward.schema.pod_kinds import TEMPLATES

ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:shop")


@pytest.mark.parametrize(
    ("name", "given", "groups"),
    [
        ("alice", (), ("system:authenticated",)),
        ("alice", ("dev",), ("dev", "system:authenticated")),
        ("alice", ("system:authenticated", "dev"), ("system:authenticated", "dev")),
        ("system:anonymous", (), ("system:unauthenticated",)),
        ("system:serviceaccount:shop:app", (), (*ACCOUNTS, "system:authenticated")),
        ("system:serviceaccount:shop:app", ("dev",), ("dev", "system:authenticated")),
        ("system:serviceaccount:shop", (), ("system:authenticated",)),
        ("system:serviceaccount:shop:app:x", (), ("system:authenticated",)),
    ],
)
def test_who_is_impersonated_is_in_these_groups(name: str, given: tuple[str, ...], groups: tuple[str, ...]) -> None:
    assert impersonated(name, given) == User(name, groups)


def test_a_workloads_controller_creates_its_pods_whoever_is_named() -> None:
    controller = creator_of_pods("Deployment", User("alice"))
    assert controller.username == "system:serviceaccount:kube-system:replicaset-controller"
    assert "system:serviceaccounts:kube-system" in controller.groups


@pytest.mark.parametrize("kind", ["Pod", "PodTemplate", "Unknown"])
def test_what_has_no_controller_is_created_by_who_is_named_or_by_somebody(kind: str) -> None:
    assert creator_of_pods(kind, User("alice")) == User("alice")
    assert creator_of_pods(kind) == SOMEBODY


def test_every_workload_that_makes_pods_has_a_controller() -> None:
    assert {kind for kind in TEMPLATES if creator_of_pods(kind) == SOMEBODY} == {"Pod", "PodTemplate"}
