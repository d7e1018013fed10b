"""The graph of owners, and verdicts: what the real collector's tests expect to be looked at, deleted, struck out."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.controllers.garbage.graph import Effects, Graph, Identity, identity_of
from podward.controllers.garbage.verdicts import Owners, Verdict, judged, without_finalizer


def metadata(
    uid: str, *owners: JsonObject, namespace: str = "ns", deleted: bool = False, finalizer: str = ""
) -> JsonObject:
    listed: list[Json] = list(owners)
    made: JsonObject = {"name": f"name-{uid}", "namespace": namespace, "uid": uid, "ownerReferences": listed}
    if deleted:
        made["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if finalizer:
        made["finalizers"] = [finalizer]
    return made


def owner(uid: str, *, blocks: bool = False, kind: str = "ConfigMap") -> JsonObject:
    return {"apiVersion": "v1", "kind": kind, "name": f"name-{uid}", "uid": uid, "blockOwnerDeletion": blocks}


def see(graph: Graph, of: JsonObject, before: JsonObject | None = None) -> Effects:
    return graph.seen(identity_of("v1", "ConfigMap", of), of, before)


def named(uid: str, namespace: str = "ns", kind: str = "ConfigMap") -> Identity:
    return Identity(kind, "v1", namespace, f"name-{uid}", uid)


def test_an_owner_that_was_never_seen_is_asked_for() -> None:
    graph = Graph()
    assert list(see(graph, metadata("b", owner("a"))).delete) == ["a"]
    assert graph.nodes["a"].virtual
    assert list(graph.absent(named("a")).delete) == ["b"]
    assert "a" not in graph.nodes
    assert graph.is_absent(named("a"))


def test_what_an_owner_that_goes_leaves_behind_is_looked_at() -> None:
    graph = Graph()
    see(graph, metadata("a"))
    assert not see(graph, metadata("b", owner("a"))).delete
    assert list(graph.gone(named("a")).delete) == ["b"]


def test_an_owner_that_waits_is_looked_at_with_its_dependents_and_when_one_goes() -> None:
    graph = Graph()
    see(graph, metadata("a"))
    see(graph, metadata("b", owner("a", blocks=True)))
    see(graph, metadata("c", owner("a")))
    ending = metadata("a", deleted=True, finalizer="foregroundDeletion")
    assert set(see(graph, ending, metadata("a")).delete) == {"a", "b", "c"}
    assert [each.identity.uid for each in graph.blocking(graph.nodes["a"])] == ["b"]
    assert list(graph.gone(named("b")).delete) == ["a"]


def test_a_reference_that_blocks_no_more_has_its_owner_looked_at() -> None:
    graph, before = Graph(), metadata("b", owner("a", blocks=True))
    see(graph, metadata("a"))
    see(graph, before)
    assert list(see(graph, metadata("b", owner("a")), before).delete) == ["a"]


def test_an_owner_that_orphans_is_put_aside() -> None:
    graph = Graph()
    ending = metadata("a", deleted=True, finalizer="orphan")
    assert see(graph, ending, metadata("a")) == Effects(orphan={"a": None})
    assert see(graph, ending, ending) == Effects()


def test_a_child_in_another_namespace_than_its_owner_is_looked_at_and_told() -> None:
    graph = Graph()
    see(graph, metadata("a"))
    effects = see(graph, metadata("b", owner("a"), namespace="other"))
    assert list(effects.delete) == ["b"]
    place = "namespace: other, name: name-a, uid: a"
    assert [each.message for each in effects.faults] == [
        f'ownerRef [v1/ConfigMap, {place}] does not exist in namespace "other"'
    ]


def test_a_wrong_reference_does_not_take_the_right_ones_with_it() -> None:
    """Bad child, good child, good parent: the bad child's reference is disproved, and the parent stays."""
    graph = Graph()
    see(graph, metadata("bad", owner("a", kind="Secret")))
    see(graph, metadata("good", owner("a")))
    effects = graph.absent(named("a", kind="Secret"))
    assert set(effects.delete) == {"bad", "a"}
    assert graph.nodes["a"].identity == named("a")
    assert graph.is_absent(named("a", kind="Secret"))
    assert not graph.is_absent(named("a"))


def test_what_is_seen_is_not_removed_by_what_was_asked_of_another_name() -> None:
    graph = Graph()
    see(graph, metadata("a"))
    see(graph, metadata("bad", owner("a", kind="Secret")))
    assert list(graph.absent(named("a", kind="Secret")).delete) == ["bad"]
    assert "a" in graph.nodes


@pytest.mark.parametrize(
    ("owners", "latest", "dependents", "circular", "verdict"),
    [
        (Owners(solid=[owner("a")]), {}, False, False, Verdict()),
        (Owners(solid=[owner("a")], dangling=[owner("b")]), {}, False, False, Verdict(struck=("b",))),
        (Owners(solid=[owner("a")], waiting=[owner("b")]), {}, True, False, Verdict(struck=("b",))),
        (Owners(dangling=[owner("a")]), {}, True, False, Verdict(policy="Background")),
        (Owners(waiting=[owner("a")]), {}, True, False, Verdict(policy="Foreground")),
        (Owners(waiting=[owner("a")]), {}, True, True, Verdict(policy="Foreground", unblock=True)),
        (Owners(waiting=[owner("a")]), {}, False, False, Verdict(policy="Background")),
        (
            Owners(dangling=[owner("a")]),
            {"metadata": {"finalizers": ["orphan"]}},
            True,
            False,
            Verdict(policy="Orphan"),
        ),
        (
            Owners(dangling=[owner("a")]),
            {"metadata": {"finalizers": ["foregroundDeletion"]}},
            True,
            False,
            Verdict(policy="Foreground"),
        ),
    ],
)
def test_verdicts(owners: Owners, latest: JsonObject, dependents: bool, circular: bool, verdict: Verdict) -> None:  # noqa: FBT001 - a table
    assert judged(owners, latest, has_dependents=dependents, circular=circular) == verdict


def test_only_the_finalizer_that_is_done_is_taken_away() -> None:
    of: JsonObject = {"metadata": {"resourceVersion": "7", "finalizers": ["orphan", "x/y"]}}
    assert without_finalizer(of, "orphan") == {"metadata": {"resourceVersion": "7", "finalizers": ["x/y"]}}
    assert without_finalizer(of, "foregroundDeletion") is None
