"""The hooks of a rollout: when each is due, its Pod, and what its end means for the rollout."""

from __future__ import annotations

from typing import cast

import pytest
from rollout_samples import RECREATE, config, controller
from workload_samples import NOW

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import annotations_of, labels_of, name_of
from podward.controllers.deployment_configs import rollouts
from podward.controllers.deployment_configs.decision import Plan, decide
from podward.controllers.deployment_configs.hooks import NOT_THERE, Seen
from podward.controllers.deployment_configs.rollouts import CANCELLED, PHASE, REASON, STARTED, with_annotations
from podward.documents.raw_fields import member, objects

WHERE = "ns/web-1"
DONE = Seen("Succeeded")


def hook(policy: str = "Abort", **wanted: Json) -> JsonObject:
    return {"failurePolicy": policy, "execNewPod": {"command": ["migrate", "up"], "containerName": "web", **wanted}}


def with_hooks(version: int = 1, kind: str = "Recreate", **hooks: Json) -> JsonObject:
    parameters = {"Recreate": "recreateParams", "Rolling": "rollingParams"}[kind]
    values: JsonObject = {"timeoutSeconds": 600, "maxSurge": 1, "maxUnavailable": 0, **hooks}
    return config(version, strategy={"type": kind, parameters: values})


def step(of: JsonObject, *controllers: JsonObject, seen: Seen = NOT_THERE, now: float = NOW) -> Plan:
    return decide(of, controllers, lambda _: 0, now, lambda _controller, _name: seen)


def told(plan: Plan) -> list[tuple[str, str]]:
    return [(each.reason, each.message) for each in plan.events]


def begun(of: JsonObject, running: JsonObject) -> JsonObject:
    """The controller whose next hook has begun."""
    plan = step(of, running)
    assert plan.pod is not None
    [(changed, _)] = plan.changed
    return changed


def over(of: JsonObject, running: JsonObject) -> JsonObject:
    [(changed, _)] = step(of, begun(of, running), seen=DONE).changed
    return changed


def test_a_rollout_waits_for_its_pre_hook_and_goes_on_when_that_is_done() -> None:
    own = with_hooks(pre=hook())
    running = controller(own, 1, "Running")
    plan = step(own, running)
    assert plan.pod is not None
    assert name_of(plan.pod) == "web-1-hook-pre"
    assert told(plan) == [("Started", f'Running pre-hook ("migrate up") for rc {WHERE}')]
    [(waiting, _)] = plan.changed
    assert member(waiting, "spec")["replicas"] == 0
    assert step(own, waiting, seen=Seen("Running")).changed == []
    done = step(own, waiting, seen=DONE)
    assert told(done) == [("Completed", f"The pre-hook for rc {WHERE} completed successfully")]
    [(gone_on, _)] = done.changed
    later = step(own, gone_on)
    assert (later.pod, later.events) == (None, [])
    assert [member(each, "spec")["replicas"] for each, _ in later.changed] == [2]


@pytest.mark.parametrize("policy", ["Abort", "Retry"])
def test_a_hook_that_fails_ends_the_rollout(policy: str) -> None:
    own = with_hooks(pre=hook(policy))
    plan = step(own, begun(own, controller(own, 1, "Running")), seen=Seen("Failed", "why"))
    assert told(plan) == [("Failed", f"The pre-hook failed: why, aborting rollout of {WHERE}")]
    [(failed, _)] = plan.changed
    annotations = annotations_of(failed)
    assert annotations[PHASE] == "Failed"
    assert annotations[REASON] == f"pre hook failed: the pre hook failed: why, aborting rollout of {WHERE}"


def test_a_hook_that_may_be_ignored_does_not() -> None:
    own = with_hooks(pre=hook("Ignore"))
    plan = step(own, begun(own, controller(own, 1, "Running")), seen=Seen("Failed", "why"))
    assert told(plan) == [("Failed", f"The pre-hook failed: why (ignore), rollout of {WHERE} will continue")]
    [(gone_on, _)] = plan.changed
    assert annotations_of(gone_on)[PHASE] == "Running"
    assert [member(each, "spec")["replicas"] for each, _ in step(own, gone_on).changed] == [2]


def test_a_hook_whose_pod_is_deleted_has_failed() -> None:
    own = with_hooks(pre=hook())
    [(failed, _)] = step(own, begun(own, controller(own, 1, "Running"))).changed
    assert "pre: pod/web-1-hook-pre[ns] unexpectedly deleted" in str(annotations_of(failed)[REASON])


def test_the_mid_hook_of_recreate_comes_once_the_old_pods_have_ended() -> None:
    own = with_hooks(2, mid=hook())
    old, new = controller(config(1), 1, "Complete", 2), controller(own, 2, "Running")
    first = step(own, old, new)
    assert first.pod is None
    assert [(name_of(each), member(each, "spec")["replicas"]) for each, _ in first.changed] == [("web-1", 0)]
    ended = controller(config(1), 1, "Complete", 0)
    assert name_of(step(own, ended, new).pod or {}) == "web-2-hook-mid"
    grown = step(own, ended, over_in(own, ended, new)).changed
    assert [member(each, "spec")["replicas"] for each, _ in grown] == [1]


def over_in(own: JsonObject, old: JsonObject, new: JsonObject) -> JsonObject:
    [(waiting, _)] = step(own, old, new).changed
    [(done, _)] = step(own, old, waiting, seen=DONE).changed
    return done


@pytest.mark.parametrize("kind", ["Recreate", "Rolling"])
def test_the_post_hook_comes_last(kind: str) -> None:
    own = with_hooks(kind=kind, post=hook())
    assert step(own, controller(own, 1, "Running", 1)).pod is None
    full = controller(own, 1, "Running", 2)
    assert name_of(step(own, full).pod or {}) == "web-1-hook-post"
    [(complete, _)] = step(own, over(own, full)).changed
    assert annotations_of(complete)[PHASE] == "Complete"


def test_what_a_hook_takes_is_not_counted_as_time_without_progress() -> None:
    own = with_hooks(pre=hook())
    running = rollouts.with_annotations(controller(own, 1, "Running"), {STARTED: rollouts.moment(NOW - 5000)})
    done = over(own, running)
    waits: JsonObject = {**done, "spec": {**member(done, "spec"), "replicas": 2}, "status": {"replicas": 2}}
    assert step(own, waits, now=NOW + 599).changed == []
    [(failed, _)] = step(own, waits, now=NOW + 601).changed
    assert annotations_of(failed)[PHASE] == "Failed"


def test_a_hook_is_not_waited_for_once_the_rollout_is_cancelled() -> None:
    own = with_hooks(pre=hook())
    running = rollouts.with_annotations(begun(own, controller(own, 1, "Running")), {CANCELLED: "true"})
    [(failed, _)] = step(own, running, seen=Seen("Running")).changed
    assert annotations_of(failed)[PHASE] == "Failed"


def test_the_pod_of_a_hook_is_like_the_container_that_it_names() -> None:
    wanted = hook("Retry", env=[{"name": "A", "value": "hook"}], volumes=["data"])
    own = with_hooks(pre=wanted)
    strategy = member(member(own, "spec"), "strategy")
    strategy |= {"labels": {"team": "x"}, "activeDeadlineSeconds": 1000}
    container: JsonObject = {
        "name": "web", "image": "web:1", "command": ["serve"], "workingDir": "/srv",
        "env": [{"name": "A", "value": "own"}, {"name": "B", "value": "own"}],
        "resources": {"limits": {"cpu": "1"}}, "securityContext": {"runAsUser": 5},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "other", "mountPath": "/other"}],
        "livenessProbe": {},
    }  # fmt: skip
    volumes: Json = [{"name": "data", "emptyDir": {}}, {"name": "other", "emptyDir": {}}]
    member(own, "spec")["template"] = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [container], "volumes": volumes, "nodeSelector": {"n": "1"},
                 "securityContext": {"fsGroup": 7}, "imagePullSecrets": [{"name": "s"}]},
    }  # fmt: skip
    pod = step(own, controller(own, 1, "Running")).pod
    assert pod is not None
    assert labels_of(pod) == {
        "team": "x", "openshift.io/deployer-pod-for.name": "web-1", "openshift.io/deployer-pod.type": "hook-pre",
    }  # fmt: skip
    assert annotations_of(pod) == {"openshift.io/deployment.name": "web-1"}
    assert [each["kind"] for each in objects(member(pod, "metadata"), "ownerReferences")] == ["ReplicationController"]
    spec = member(pod, "spec")
    [made] = cast("list[JsonObject]", spec.pop("containers"))
    assert spec == {
        "volumes": [{"name": "data", "emptyDir": {}}], "nodeSelector": {"n": "1"}, "securityContext": {"fsGroup": 7},
        "imagePullSecrets": [{"name": "s"}], "restartPolicy": "OnFailure", "activeDeadlineSeconds": 990,
        "terminationGracePeriodSeconds": 10,
    }  # fmt: skip
    assert made == {
        "name": "lifecycle", "image": "web:1", "command": ["migrate", "up"], "workingDir": "/srv",
        "resources": {"limits": {"cpu": "1"}}, "securityContext": {"runAsUser": 5},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "env": [
            {"name": "A", "value": "hook"}, {"name": "B", "value": "own"},
            {"name": "OPENSHIFT_DEPLOYMENT_NAME", "value": "web-1"},
            {"name": "OPENSHIFT_DEPLOYMENT_NAMESPACE", "value": "ns"},
        ],
    }  # fmt: skip


def test_a_hook_of_a_container_that_is_not_there_fails() -> None:
    own = with_hooks(pre=hook(containerName="none"))
    plan = step(own, controller(own, 1, "Running"))
    assert plan.pod is None
    assert "no container named 'none' found in rc template" in told(plan)[1][1]


def test_tags_of_images_cannot_be_set_without_image_streams() -> None:
    tag: JsonObject = {"containerName": "web", "to": {"kind": "ImageStreamTag", "name": "web:live"}}
    own = with_hooks(pre={"failurePolicy": "Ignore", "tagImages": [tag]})
    plan = step(own, controller(own, 1, "Running"))
    why = "the server could not find the requested resource (put imagestreamtags.image.openshift.io web:live)"
    assert told(plan) == [
        ("Started", f'Running pre-hook (TagImages) image "web:1" as "web:live" for rc {WHERE}'),
        ("Failed", f"The pre-hook failed: {why} (ignore), rollout of {WHERE} will continue"),
    ]


def test_older_rollouts_are_scaled_down_before_the_first_hook() -> None:
    own = with_hooks(3, pre=hook())
    left, old = controller(config(1), 1, "Failed", 1), controller(config(2), 2, "Complete", 2)
    plan = step(own, left, old, controller(own, 3, "Running"))
    assert plan.pod is None
    assert [(name_of(each), member(each, "spec")["replicas"]) for each, _ in plan.changed] == [("web-1", 0)]


def test_without_hooks_nothing_is_waited_for() -> None:
    own = config(1, strategy=RECREATE)
    assert step(own, controller(own, 1, "Running")).pod is None


def test_what_somebody_else_wrote_into_the_annotation_is_not_believed() -> None:
    of = with_hooks(pre=hook())
    running = controller(of, 1, "Running")
    for written in ("1e999", "9" * 400, "-1", '"x"', "true"):
        odd = with_annotations(running, {"podward.dev/deployment-hooks": f'{{"pre": {written}}}'})
        assert step(of, odd).pod is not None, written
