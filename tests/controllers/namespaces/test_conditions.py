"""What a namespace that ends says of itself."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.controllers.namespaces.conditions import (
    Left,
    Totals,
    finalized,
    grace_of_pods,
    left_of,
    with_conditions,
)
from podward.documents.raw_fields import objects
from podward.schema.resources import BY_PLURAL

PODS, DEPLOYMENTS = BY_PLURAL["", "v1", "pods"], BY_PLURAL["apps", "v1", "deployments"]


def told(totals: Totals, status: JsonObject | None = None, now: str = "t0") -> list[tuple[object, ...]]:
    made = with_conditions(status or {}, totals, now)
    return [tuple(each.values()) for each in objects(made, "conditions")]


def test_where_all_is_well_every_condition_says_so() -> None:
    assert told(Totals()) == [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "t0",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "t0",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "t0",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", "False", "t0", "ContentRemoved", "All content successfully removed"),
        (
            "NamespaceFinalizersRemaining",
            "False",
            "t0",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    ]


def test_what_is_left_is_counted() -> None:
    totals = Totals(undiscovered="no discovery")
    totals.add(PODS, Left(2, {"a/b": 2}, 30))
    totals.add(DEPLOYMENTS, Left(1, {"a/b": 1, "c/d": 1}, 15, "it failed"))
    stuck = "a/b in 3 resource instances, c/d in 1 resource instances"
    assert totals.seconds == 30
    assert [line[4] for line in told(totals)] == [
        "no discovery",
        "All legacy kube types successfully parsed",
        "Failed to delete all resource types, 1 remaining: it failed",
        "Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances",
        f"Some content in the namespace has finalizers remaining: {stuck}",
    ]


def test_as_long_as_pods_are_left_what_is_left_is_not_told() -> None:
    totals = Totals(counted=False)
    totals.add(PODS, Left(1, {"a/b": 1}, 0, "it failed"))
    said = [line[4] for line in told(totals)]
    assert said[2] == "Failed to delete all resource types, 1 remaining: it failed"
    assert said[3:] == ["All content successfully removed", "All content-preserving finalizers finished"]


def test_a_time_changes_with_the_status_alone() -> None:
    totals = Totals()
    totals.add(PODS, Left(1))
    before = with_conditions({}, totals, "t0")
    totals.add(PODS, Left(2))
    assert told(totals, before, "t1")[3][1:3] == ("True", "t0")
    assert told(Totals(), before, "t1")[3][1:3] == ("False", "t1")
    assert with_conditions(before, Totals(by_resource={("pods", ""): 1}), "t1") is before


def test_what_stays_without_a_reason_is_a_fault() -> None:
    assert left_of(PODS, "ns", [{}], 30) == Left(1, {}, 30)
    assert left_of(PODS, "ns", [{"metadata": {"finalizers": ["x/y"]}}], 0) == Left(1, {"x/y": 1}, 15)
    assert left_of(DEPLOYMENTS, "ns", [{}], 0) == Left(
        1, {}, 0, "unexpected items still remain in namespace: ns for gvr: apps/v1, Resource=deployments"
    )


def test_pods_have_their_grace_until_it_is_over() -> None:
    pods: list[JsonObject] = [
        {"spec": {"terminationGracePeriodSeconds": 30}},
        {"spec": {"terminationGracePeriodSeconds": 90}, "status": {"phase": "Failed"}},
    ]
    assert (grace_of_pods(pods, 10), grace_of_pods(pods, 30)) == (30, 0)


def test_others_finalizers_stay() -> None:
    assert finalized({"spec": {"finalizers": ["z", "kubernetes", "a"]}}, "kubernetes") == {
        "spec": {"finalizers": ["a", "z"]}
    }
