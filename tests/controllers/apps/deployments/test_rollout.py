"""The steps of Deployments; numbers as in Kubernetes' own tests of its controller."""

from __future__ import annotations

import pytest
from workload_samples import NOW, meta, owned_by, pod, template, workload

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps import conditions
from podward.controllers.apps.deployments import revisions, rollout
from podward.controllers.apps.deployments.plan import Plan, Told, collided
from podward.controllers.apps.deployments.sizes import DESIRED, LARGEST, replicas_of
from podward.controllers.apps.ownership import annotations_of, uid_of
from podward.documents.raw_fields import member, objects
from podward.schema.moments import written

DONE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}


def deployment(replicas: int, surge: Json = "25%", unavailable: Json = "25%", **spec: Json) -> JsonObject:
    strategy: JsonObject = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }
    defaults: JsonObject = {"revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": strategy}
    return workload("Deployment", "web", replicas=replicas, **{**defaults, **spec})


def replica_set(of: JsonObject, name: str, replicas: int, available: int | None = None, **more: Json) -> JsonObject:
    """The newest ReplicaSet, or with an `image` an older one; `age` in seconds, `revision`, `desired`."""
    image, age = more.get("image", "web:1"), more.get("age", 60)
    assert isinstance(image, str)
    assert isinstance(age, int)
    annotations: JsonObject = {revisions.REVISION: str(more.get("revision", 1))}
    if "desired" in more:
        annotations |= {DESIRED: str(more["desired"]), LARGEST: str(more["largest"])}
    found = workload("ReplicaSet", name, replicas=replicas, template=template(image))
    found["metadata"] = meta(
        name,
        labels={"app": "web"},
        annotations=annotations,
        ownerReferences=owned_by(of),
        creationTimestamp=written(NOW - age),
    )
    count = replicas if available is None else available
    found["status"] = {
        "replicas": replicas,
        "readyReplicas": count,
        "availableReplicas": count,
        "observedGeneration": 1,
    }
    return found


def sizes_of(plan: Plan) -> dict[str, int]:
    return {name: size for name, (_, size) in plan.scaled.items()}


def test_the_first_replica_set_has_all_replicas() -> None:
    plan = rollout.decide(deployment(3), [], {}, NOW)
    made = plan.created
    assert made is not None
    label = member(member(made, "metadata"), "labels")[revisions.HASH]
    assert member(made, "metadata")["name"] == f"web-{label}"
    assert member(made, "spec")["replicas"] == 3
    assert member(member(made, "spec"), "selector") == {"matchLabels": {"app": "web", revisions.HASH: label}}
    assert annotations_of(made) == {revisions.REVISION: "1", DESIRED: "3", LARGEST: "4"}
    assert plan.scaling(f"web-{label}") == Told(
        "Normal", "ScalingReplicaSet", f"Scaled up replica set web-{label} from 0 to 3"
    )
    assert annotations_of(plan.deployment)[revisions.REVISION] == "1"
    listed = objects(member(plan.deployment, "status"), "conditions")
    assert [(each["type"], each["reason"], each["message"]) for each in listed] == [
        ("Progressing", "NewReplicaSetCreated", f'Created new replica set "web-{label}"'),
        ("Available", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
    ]


@pytest.mark.parametrize(
    ("replicas", "surge", "old", "new", "expected"),
    [
        (10, 0, 10, 0, None),
        (10, 2, 10, 0, 2),
        (10, 2, 5, 0, 7),
        (10, 2, 10, 2, None),
        (10, 0, 0, 20, 10),
        (10, 2, 0, 5, 10),
    ],
)
def test_the_newest_grows_as_far_as_the_surge_lets_it(
    replicas: int, surge: int, old: int, new: int, expected: int | None
) -> None:
    wanted = deployment(replicas, surge, replicas)
    sets = [replica_set(wanted, "new", new, revision=2), replica_set(wanted, "old", old, image="web:0", age=90)]
    assert sizes_of(rollout.decide(wanted, sets, {}, NOW)).get("new") == expected


@pytest.mark.parametrize(
    ("unavailable", "old", "new", "expected"),
    [
        (0, (10, 10), (1, 0), None),
        (2, (10, 10), (0, 0), 8),
        (2, (10, 8), (0, 0), 8),  # those that are not healthy first
        (2, (10, 0), (0, 0), 8),
        (2, (8, 8), (2, 0), None),  # the new ones are not available yet
        (2, (8, 6), (2, 0), None),
        (2, (8, 8), (2, 2), 6),
    ],
)
def test_the_old_shrink_as_far_as_may_be_unavailable(
    unavailable: int, old: tuple[int, int], new: tuple[int, int], expected: int | None
) -> None:
    wanted = deployment(10, 0, unavailable) if unavailable else deployment(10, 1, 0)
    sets = [
        replica_set(wanted, "new", *new, revision=2),
        replica_set(wanted, "old", *old, image="web:0", age=90),
    ]
    assert sizes_of(rollout.decide(wanted, sets, {}, NOW)).get("old") == expected


@pytest.mark.parametrize(
    ("wished", "before", "sizes", "expected"),
    [
        (12, 10, (10,), (12,)),
        (5, 10, (10,), (5,)),
        (10, 5, (2, 3), (4, 6)),
        (3, 5, (2, 3), (1, 2)),
        (4, 9, (8, 1), (4, 0)),
        (10, 7, (2, 3, 2), (3, 4, 3)),
        (8, 13, (2, 8, 3), (1, 5, 2)),
        (4, 3, (1, 1, 1), (2, 1, 1)),  # what is left over goes to the newest
        (2, 3, (1, 1, 1), (1, 1, 0)),  # and comes from the oldest
        (5, 4, (0, 2, 2), (0, 3, 2)),
        (0, 6, (3, 2, 1), (0, 0, 0)),
        (6, 6, (0, 0, 0), (6, 0, 0)),
        (14, 10, (0, 7, 3), (0, 10, 4)),
        (6, 5, (1, 2, 2), (1, 3, 2)),  # the largest first
    ],
)
def test_a_change_of_size_is_spread_in_proportion(
    wished: int, before: int, sizes: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert spread(deployment(wished, 0, 0, paused=True), before, before, sizes) == expected


@pytest.mark.parametrize(
    ("wished", "surge", "before", "earlier_surge", "sizes", "expected"),
    [(20, 2, 10, 2, (6, 6), (11, 11)), (50, 6, 10, 3, (5, 8), (22, 34))],
)  # fmt: skip
def test_a_surge_is_spread_too(  # noqa: PLR0913, PLR0917 - a row of a table
    wished: int, surge: int, before: int, earlier_surge: int, sizes: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert spread(deployment(wished, surge, 0, paused=True), before, before + earlier_surge, sizes) == expected


def test_what_is_full_but_broken_leaves_the_others_alone() -> None:
    assert spread(deployment(2, 1, 1, paused=True), 2, 3, (2, 1), available=0) == (2, 1)


def spread(
    wanted: JsonObject, desired: int, largest: int, sizes: tuple[int, ...], available: int | None = None
) -> tuple[int, ...]:
    """The sizes of the newest and of older ReplicaSets after a step."""
    wanted["status"] = {"replicas": desired}
    sets = [
        replica_set(
            wanted, f"s{index}", size, available if index == 0 else None, image=f"web:{1 + index}", age=60 + index,
            desired=desired, largest=largest,
        )
        for index, size in enumerate(sizes)
    ]  # fmt: skip
    plan = rollout.decide(wanted, sets, {}, NOW)
    assert all(annotations_of(plan.changed[name])[DESIRED] == str(replicas_of(wanted)) for name in plan.scaled)
    return tuple(plan.scaled.get(f"s{index}", (0, size))[1] for index, size in enumerate(sizes))


def test_one_may_be_unavailable_where_both_limits_come_to_none() -> None:
    wanted = deployment(2, 0, "25%")
    sets = [replica_set(wanted, "new", 0, revision=2), replica_set(wanted, "old", 2, image="web:0", age=90)]
    assert sizes_of(rollout.decide(wanted, sets, {}, NOW)) == {"old": 1}


def test_what_is_paused_is_sized_and_not_rolled_out() -> None:
    wanted = deployment(5, paused=True)
    plan = rollout.decide(wanted, [replica_set(wanted, "old", 3, image="web:0")], {}, NOW)
    assert plan.created is None
    assert sizes_of(plan) == {"old": 5}
    paused = objects(member(plan.deployment, "status"), "conditions")[0]
    assert (paused["status"], paused["reason"], paused["message"]) == (
        "Unknown",
        "DeploymentPaused",
        "Deployment is paused",
    )


def test_with_recreate_the_old_end_before_the_newest_begins() -> None:
    wanted = deployment(2, strategy={"type": "Recreate"})
    old = replica_set(wanted, "old", 2, image="web:0")
    plan = rollout.decide(wanted, [old], {}, NOW)
    assert (plan.created, sizes_of(plan)) == (None, {"old": 0})
    empty = replica_set(wanted, "old", 0, image="web:0")
    pods = {uid_of(empty): [pod("p", empty, gone=True)]}
    assert rollout.decide(wanted, [empty], pods, NOW).created is None
    ended = {uid_of(empty): [pod("p", empty, phase="Failed")]}
    made = rollout.decide(wanted, [empty], ended, NOW).created
    assert made is not None
    assert member(made, "spec")["replicas"] == 2


def test_the_oldest_empty_replica_sets_are_deleted_once_all_is_done() -> None:
    wanted = deployment(1, revisionHistoryLimit=1)
    wanted["status"] = {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    old = [replica_set(wanted, f"old{index}", 0, image=f"old:{index}", revision=index) for index in (3, 1, 2)]
    plan = rollout.decide(wanted, [*old, replica_set(wanted, "new", 1, revision=4)], {}, NOW)
    assert plan.deleted == ["old1", "old2"]


def test_a_replica_set_that_is_wanted_again_gets_the_next_number() -> None:
    wanted = deployment(1)
    sets = [replica_set(wanted, "new", 1, revision=1, age=90), replica_set(wanted, "old", 0, image="web:0", revision=4)]
    plan = rollout.decide(wanted, sets, {}, NOW)
    assert annotations_of(plan.changed["new"]) == {revisions.REVISION: "5", revisions.HISTORY: "1"}
    assert annotations_of(plan.deployment)[revisions.REVISION] == "5"


def test_a_number_never_becomes_lower() -> None:
    wanted = deployment(1)
    sets = [replica_set(wanted, "new", 1, revision=9), replica_set(wanted, "old", 0, image="web:0", revision=4, age=90)]
    plan = rollout.decide(wanted, sets, {}, NOW)
    assert plan.changed == {}
    assert annotations_of(plan.deployment)[revisions.REVISION] == "9"


@pytest.mark.parametrize(
    ("asked", "event", "image"),
    [
        ("1", Told("Normal", "DeploymentRollback", 'Rolled back deployment "web" to revision 1'), "web:0"),
        ("0", Told("Normal", "DeploymentRollback", 'Rolled back deployment "web" to revision 1'), "web:0"),
        (
            "9",
            Told("Warning", "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to."),
            "web:1",
        ),
    ],
)
def test_a_rollback_takes_an_earlier_template(asked: str, event: Told, image: str) -> None:
    wanted = deployment(1)
    wanted["metadata"] = meta("web", annotations={revisions.ROLLBACK: asked})
    sets = [replica_set(wanted, "old", 0, image="web:0"), replica_set(wanted, "new", 1, revision=2)]
    plan = rollout.decide(wanted, sets, {}, NOW)
    containers = objects(member(member(member(plan.deployment, "spec"), "template"), "spec"), "containers")
    assert (plan.events, containers[0]["image"], plan.rolled_back) == ([event], image, True)
    assert revisions.ROLLBACK not in annotations_of(plan.deployment)


OLD, CHANGED = NOW - 700, {"Updated": ("True", "ReplicaSetUpdated"), "Late": ("False", "ProgressDeadlineExceeded")}
CHANGED["Done"] = ("True", "NewReplicaSetAvailable")


@pytest.mark.parametrize(
    ("before", "numbers", "expected"),
    [
        # before: the condition, since how long; numbers: replicas, updated, available as they are to be, of 3
        (("Updated", 10), (3, 2, 2), ("True", "ReplicaSetUpdated", "is progressing.", False, True)),
        (("Late", 10), (3, 2, 2), ("True", "ReplicaSetUpdated", "is progressing.", True, True)),
        (None, (3, 2, 2), ("True", "ReplicaSetUpdated", "is progressing.", True, True)),
        (("Updated", 10), (3, 3, 3), ("True", "NewReplicaSetAvailable", "has successfully progressed.", False, True)),
        (("Late", 10), (3, 3, 3), ("True", "NewReplicaSetAvailable", "has successfully progressed.", True, True)),
        (("Done", 10), (3, 3, 3), ("True", "NewReplicaSetAvailable", None, False, False)),
        (("Updated", 601), (1, 1, 0), ("False", "ProgressDeadlineExceeded", "has timed out progressing.", True, True)),
        (("Updated", 10), (1, 1, 0), ("True", "ReplicaSetUpdated", None, False, False)),
        (("Late", 10), (1, 1, 0), ("False", "ProgressDeadlineExceeded", None, False, False)),
    ],
)
def test_progress(
    before: tuple[str, int] | None, numbers: tuple[int, int, int], expected: tuple[str, str, str | None, bool, bool]
) -> None:
    wanted, replicas, updated, available = deployment(3), *numbers
    wanted["status"] = {"replicas": 1, "updatedReplicas": 1, "observedGeneration": 1}
    if before is not None:
        kind, waited = before
        state, reason = CHANGED[kind]
        condition: JsonObject = {"type": "Progressing", "status": state, "reason": reason, "message": "before"}
        condition |= {"lastUpdateTime": written(NOW - waited), "lastTransitionTime": written(OLD)}
        wanted["status"] = {**member(wanted, "status"), "conditions": [condition]}
    sets = [replica_set(wanted, "new", 3), replica_set(wanted, "old", 0, image="web:0", age=90)]
    for found, count in zip(sets, (updated, replicas - updated), strict=True):
        member(found, "status").update(replicas=count, availableReplicas=0, readyReplicas=0)
    member(sets[0], "status").update(availableReplicas=available, readyReplicas=available)
    plan = rollout.decide(wanted, sets, {}, NOW)
    found = conditions.find(objects(member(plan.deployment, "status"), "conditions"), "Progressing") or {}
    state, reason, words, turned, told = expected
    assert (found["status"], found["reason"]) == (state, reason)
    assert found["message"] == (f'ReplicaSet "new" {words}' if words else "before")
    assert (found["lastTransitionTime"] == written(NOW), found["lastUpdateTime"] == written(NOW)) == (turned, told)


@pytest.mark.parametrize(
    ("limit", "reason", "since", "available", "expected"),
    [
        (None, "Updated", 30, 1, None),
        ((1 << 31) - 1, "Updated", 30, 1, None),
        (60, "Updated", 30, 3, None),
        (60, "Late", 30, 0, None),
        (60, "Updated", 30, 1, 31.0),
        (60, "Updated", 70, 1, None),  # it is late now
    ],
)
def test_it_is_looked_at_again_when_it_may_be_late(
    limit: int | None, reason: str, since: int, available: int, expected: float | None
) -> None:
    wanted = deployment(3, progressDeadlineSeconds=limit)
    state, word = CHANGED[reason]
    condition: JsonObject = {"type": "Progressing", "status": state, "reason": word}
    condition |= {"lastUpdateTime": written(NOW - since), "lastTransitionTime": written(OLD)}
    numbers: JsonObject = {
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": available,
        "availableReplicas": available,
    }
    wanted["status"] = {**numbers, "conditions": [condition]}
    assert rollout.decide(wanted, [replica_set(wanted, "new", 3, available)], {}, NOW).again == expected


def test_what_fails_in_a_replica_set_fails_in_the_deployment() -> None:
    wanted = deployment(1)
    found = replica_set(wanted, "new", 1, 0)
    failure: JsonObject = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "no"}
    member(found, "status")["conditions"] = [failure]
    listed = objects(member(rollout.decide(wanted, [found], {}, NOW).deployment, "status"), "conditions")
    assert [each["message"] for each in listed if each["type"] == "ReplicaFailure"] == ["no"]


def test_a_name_that_is_anothers_leads_to_another_hash() -> None:
    first = deployment(1)
    names = [member(revisions.made(each), "metadata")["name"] for each in (first, first, collided(first))]
    assert names[0] == names[1] != names[2]
