"""The steps of StatefulSets: one Pod after the other, and their claims."""

from __future__ import annotations

import pytest
from workload_samples import NOW, meta, pod, template, workload

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps import history
from podward.controllers.apps.history import HASH
from podward.controllers.apps.ownership import controller_reference, labels_of, name_of, uid_of
from podward.controllers.apps.stateful_sets import retention, rollout
from podward.controllers.apps.stateful_sets.identity import INDEX, NAME, claims_of, is_itself, pod_of
from podward.controllers.apps.stateful_sets.rollout import Act, Facts, Plan
from podward.documents.raw_fields import member, objects

READY = 3600.0
CLAIM: JsonObject = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def stateful_set(replicas: int = 3, policy: str = "OrderedReady", partition: int = 0, **spec: Json) -> JsonObject:
    rolling: JsonObject = {
        "partition": partition,
        **({"maxUnavailable": most} if (most := spec.pop("most", 0)) else {}),
    }
    update: JsonObject = {"type": "RollingUpdate", "rollingUpdate": rolling}
    defaults: JsonObject = {"updateStrategy": update, "podManagementPolicy": policy, "serviceName": "web"}
    return workload("StatefulSet", "web", replicas=replicas, **{**defaults, **spec})


def revision(name: str, image: str = "web:1") -> JsonObject:
    data: JsonObject = {"spec": {"template": {**template(image), "$patch": "replace"}}}
    return {"metadata": meta(name), "data": data, "revision": 1}


OLD, NEW = revision("web-old", "web:0"), revision("web-new")


def member_pod(ordinal: int, of: str = "web-new", /, *, ready: float | None = READY, **more: Json) -> JsonObject:
    name = f"web-{ordinal}"
    return pod(name, ready=ready, labels={"app": "web", HASH: of, NAME: name, INDEX: str(ordinal)}, **more)


def step(owner: JsonObject, *pods: JsonObject, current: JsonObject = NEW) -> Plan:
    return rollout.decide(owner, Facts(pods, current, NEW, {}, NOW))


def acts(plan: Plan) -> list[tuple[Act, str]]:
    return [(what, name_of(each)) for what, each in plan.acts]


UNREADY = member_pod(1, ready=None)


@pytest.mark.parametrize(
    ("owner", "pods", "expected"),
    [
        (stateful_set(), [], [(Act.CREATE, "web-0")]),
        (stateful_set(), [member_pod(0)], [(Act.CREATE, "web-1")]),
        (stateful_set(), [member_pod(0, ready=None)], []),
        (stateful_set(), [member_pod(0, phase="Pending", ready=None)], [(Act.CLAIMS, "web-0")]),
        (stateful_set(minReadySeconds=9), [member_pod(0, ready=8.0)], []),
        (stateful_set(), [member_pod(0), member_pod(2)], [(Act.CREATE, "web-1")]),
        (stateful_set(), [member_pod(0, phase="Failed")], [(Act.DELETE, "web-0")]),
        (stateful_set(), [member_pod(0, phase="Failed", gone=True)], []),
        (stateful_set(ordinals={"start": 5}), [], [(Act.CREATE, "web-5")]),
        (stateful_set(2, "Parallel"), [], [(Act.CREATE, "web-0"), (Act.CREATE, "web-1")]),
        (stateful_set(1), [member_pod(0), member_pod(1), member_pod(2)], [(Act.DELETE, "web-2")]),
        (stateful_set(1), [member_pod(0), member_pod(1), member_pod(2, gone=True)], []),
        (stateful_set(1), [member_pod(0), UNREADY, member_pod(2)], [(Act.DELETE, "web-2")]),
        (
            stateful_set(1),
            [member_pod(0), UNREADY, member_pod(2, ready=None)],
            [],
        ),  # the lowest that is unhealthy first
        (stateful_set(1), [member_pod(0), member_pod(1), member_pod(2, ready=None)], [(Act.DELETE, "web-2")]),
        (stateful_set(1), [member_pod(0, ready=None), member_pod(1)], []),
        (
            stateful_set(1, "Parallel"),
            [member_pod(0), member_pod(1), member_pod(2)],
            [(Act.DELETE, "web-2"), (Act.DELETE, "web-1")],
        ),
    ],
)
def test_one_after_the_other(owner: JsonObject, pods: list[JsonObject], expected: list[tuple[Act, str]]) -> None:
    assert acts(step(owner, *pods)) == expected


def old(ordinal: int, *, ready: float | None = READY, **more: Json) -> JsonObject:
    return member_pod(ordinal, "web-old", ready=ready, **more)


@pytest.mark.parametrize(
    ("owner", "pods", "expected"),
    [
        (stateful_set(), [old(0), old(1), old(2)], ["web-2"]),
        (stateful_set(), [old(0), old(1), member_pod(2)], ["web-1"]),
        (stateful_set(partition=2), [old(0), old(1), member_pod(2)], []),
        (stateful_set(most=2), [old(0), old(1), old(2)], ["web-2"]),
        (stateful_set(most=2, policy="Parallel"), [old(0), old(1), member_pod(2, ready=None)], []),
        (stateful_set(policy="Parallel"), [old(0), old(1), member_pod(2, ready=None)], []),
        (stateful_set(policy="Parallel"), [old(0), old(1, ready=None), member_pod(2)], ["web-1"]),
        (stateful_set(updateStrategy={"type": "OnDelete"}), [old(0), old(1), old(2)], []),
    ],
)  # fmt: skip
def test_old_pods_go_from_the_highest(owner: JsonObject, pods: list[JsonObject], expected: list[str]) -> None:
    assert acts(step(owner, *pods, current=OLD)) == [(Act.DELETE, name) for name in expected]


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize(("partition", "image"), [(0, "web:1"), (1, "web:0")])
def test_below_the_partition_a_pod_comes_back_as_it_was(partition: int, image: str, first: int) -> None:
    _, made = step(stateful_set(partition=partition, ordinals={"start": first}), current=OLD).acts[0]
    assert objects(member(made, "spec"), "containers")[0]["image"] == image
    assert labels_of(made)[HASH] == ("web-old" if partition else "web-new")


def test_the_numbers_of_the_status() -> None:
    plan = step(stateful_set(), old(0), old(1, ready=None), member_pod(2), current=OLD)
    assert plan.status == {
        "observedGeneration": 1, "replicas": 3, "readyReplicas": 2, "availableReplicas": 2, "currentReplicas": 2,
        "updatedReplicas": 1, "currentRevision": "web-old", "updateRevision": "web-new", "collisionCount": 0,
    }  # fmt: skip
    assert step(stateful_set(), old(0), old(1), old(2), current=OLD).status["currentReplicas"] == 2
    done = step(stateful_set(1), member_pod(0), current=OLD).status
    assert (done["currentRevision"], done["currentReplicas"]) == ("web-new", 1)


def test_a_status_is_written_for_what_differs_alone() -> None:
    owner, status = stateful_set(1), step(stateful_set(1), member_pod(0)).status
    owner["status"] = {**status, "conditions": [{"type": "Mine"}], "collisionCount": 3}
    assert not rollout.differs(owner, status)
    assert rollout.differs(owner, {**status, "readyReplicas": 0})


def test_a_pod_has_its_name_and_its_claims() -> None:
    owner = stateful_set(volumeClaimTemplates=[CLAIM])
    made = pod_of(owner, template(), "web-new", 4)
    assert (name_of(made), member(made, "spec")["hostname"], member(made, "spec")["subdomain"]) == (
        "web-4",
        "web-4",
        "web",
    )
    assert member(made, "metadata")["generateName"] == "web-"
    assert labels_of(made) == {"app": "web", NAME: "web-4", INDEX: "4", HASH: "web-new"}
    assert member(made, "spec")["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-4"}}]
    claim = claims_of(owner, 4)["data"]
    assert (name_of(claim), labels_of(claim), claim["spec"]) == ("data-web-4", {"app": "web"}, CLAIM["spec"])
    assert is_itself(owner, made)
    assert not is_itself(owner, {**made, "spec": {}})


@pytest.mark.parametrize(
    ("scaled", "deleted", "ordinal", "expected"),
    [
        ("Retain", "Retain", 0, None),
        ("Retain", "Delete", 0, "StatefulSet"),
        ("Retain", "Delete", 9, "StatefulSet"),
        ("Delete", "Retain", 0, None),
        ("Delete", "Retain", 9, "Pod"),
        ("Delete", "Delete", 0, "StatefulSet"),
        ("Delete", "Delete", 9, "Pod"),
    ],
)
def test_who_owns_a_claim(scaled: str, deleted: str, ordinal: int, expected: str | None) -> None:
    policy: JsonObject = {"whenScaled": scaled, "whenDeleted": deleted}
    owner, claimant = stateful_set(persistentVolumeClaimRetentionPolicy=policy), member_pod(ordinal)
    changed = retention.changed(owner, claimant, {"metadata": meta("data-web-0")})
    found = objects(member(changed or {}, "metadata"), "ownerReferences")
    assert [each["kind"] for each in found] == ([expected] if expected else [])
    if changed is not None:
        assert retention.changed(owner, claimant, changed) is None


def test_a_claim_of_an_earlier_set_is_left_to_go_with_it() -> None:
    policy: JsonObject = {"whenScaled": "Retain", "whenDeleted": "Delete"}
    owner = stateful_set(persistentVolumeClaimRetentionPolicy=policy)
    reference: JsonObject = {**controller_reference(owner), "uid": "earlier"}
    claim: JsonObject = {"metadata": meta("data-web-0", ownerReferences=[reference])}
    assert retention.changed(owner, member_pod(0), claim) is None


def test_a_claim_of_an_earlier_pod_is_waited_for() -> None:
    policy: JsonObject = {"whenScaled": "Delete", "whenDeleted": "Retain"}
    owner = stateful_set(1, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    reference: JsonObject = {**controller_reference(member_pod(0)), "uid": "earlier"}
    claim: JsonObject = {"metadata": meta("data-web-0", ownerReferences=[reference])}
    facts = Facts([], NEW, NEW, {"data-web-0": claim}, NOW)
    assert rollout.decide(owner, facts).acts == []
    assert uid_of(claim) == "uid-data-web-0"


def test_what_is_wanted_again_gets_the_next_number() -> None:
    owner = stateful_set()
    first, second = {**NEW, "revision": 1}, {**OLD, "revision": 4}
    found = history.read(owner, [second, first])
    assert (found.current, found.number, found.old) == (first, 5, (second,))
    assert history.read(owner, [second]).current is None
    assert history.read(owner, []).number == 1


def test_the_oldest_revisions_that_nobody_has_go() -> None:
    found: list[JsonObject] = [{"metadata": meta(f"r{index}"), "revision": index} for index in (3, 1, 2)]
    assert history.surplus(found, ["r1"], 1) == ["r2", "r3"]
    assert history.surplus(found, [], 3) == []
