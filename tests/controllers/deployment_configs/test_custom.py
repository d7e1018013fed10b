"""Custom strategies: a Pod of the user's own, and the rollout that is as far as its Pod."""

from __future__ import annotations

import pytest
from rollout_samples import config, controller
from workload_samples import NOW

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import annotations_of, labels_of, name_of
from podward.controllers.deployment_configs import rollouts
from podward.controllers.deployment_configs.custom import is_custom
from podward.controllers.deployment_configs.decision import Plan, decide
from podward.controllers.deployment_configs.hooks import NOT_THERE, REFUSED, Seen
from podward.controllers.deployment_configs.rollouts import CANCELLED, DESIRED, PHASE, REASON, SIZE
from podward.documents.raw_fields import member, objects
from podward.schema.moments import written

CUSTOM: JsonObject = {
    "image": "roll:1",
    "command": ["roll", "out"],
    "environment": [{"name": "A", "value": "1"}],
}


def own(**strategy: Json) -> JsonObject:
    return config(1, strategy={"type": "Custom", "customParams": CUSTOM, **strategy})


def step(of: JsonObject, phase: str, seen: Seen = NOT_THERE, now: float = NOW, cancelled: str = "") -> Plan:
    found = rollouts.with_annotations(controller(of, 1, phase), {CANCELLED: cancelled or None})
    member(found, "metadata")["creationTimestamp"] = written(NOW)
    return decide(of, [found], lambda _: 0, now, lambda _controller, _name: seen)


def phase_after(plan: Plan) -> str:
    [(changed, _)] = plan.changed
    return str(annotations_of(changed)[PHASE])


def test_the_pod_is_told_of_its_rollout_and_runs_as_the_deployer() -> None:
    plan = step(own(labels={"team": "x"}, resources={"limits": {"cpu": "1"}}, activeDeadlineSeconds=1000), "New")
    pod = plan.pod
    assert pod is not None
    assert name_of(pod) == "web-1-deploy"
    assert labels_of(pod) == {"team": "x", "openshift.io/deployer-pod-for.name": "web-1"}
    assert annotations_of(pod) == {
        "openshift.io/deployment.name": "web-1", "openshift.io/deployment-config.name": "web",
    }  # fmt: skip
    spec = member(pod, "spec")
    [container] = objects(spec, "containers")
    assert container == {
        "name": "deployment", "image": "roll:1", "command": ["roll", "out"], "resources": {"limits": {"cpu": "1"}},
        "env": [
            {"name": "A", "value": "1"},
            {"name": "OPENSHIFT_DEPLOYMENT_NAME", "value": "web-1"},
            {"name": "OPENSHIFT_DEPLOYMENT_NAMESPACE", "value": "ns"},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError", "imagePullPolicy": "IfNotPresent",
    }  # fmt: skip
    assert (spec["serviceAccountName"], spec["restartPolicy"]) == ("deployer", "Never")
    [(changed, _)] = plan.changed
    assert annotations_of(changed)["openshift.io/deployer-pod.name"] == "web-1-deploy"
    assert annotations_of(changed)[PHASE] == "Pending"
    assert member(changed, "spec")["replicas"] == 0


@pytest.mark.parametrize(
    ("before", "pod", "after"),
    [
        ("New", "Pending", "Pending"),
        ("New", "Running", "Running"),
        ("Pending", "Running", "Running"),
        ("Pending", "Succeeded", "Complete"),
        ("Running", "Succeeded", "Complete"),
        ("Running", "Failed", "Failed"),
    ],
)
def test_a_rollout_is_as_far_as_its_pod(before: str, pod: str, after: str) -> None:
    assert phase_after(step(own(), before, Seen(pod, rollout="web-1"))) == after


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_nothing_is_written_while_the_pod_is_at_it(phase: str) -> None:
    assert step(own(), phase, Seen(phase, rollout="web-1")).changed == []


def test_a_rollout_that_is_complete_has_the_size_that_it_was_to_have() -> None:
    [(done, _)] = step(own(), "Running", Seen("Succeeded", rollout="web-1")).changed
    annotations = annotations_of(done)
    assert (annotations[SIZE], DESIRED in annotations) == ("2", False)


def test_a_pod_that_is_gone_ends_the_rollout() -> None:
    plan = step(own(), "Running")
    [(failed, _)] = plan.changed
    assert (annotations_of(failed)[PHASE], annotations_of(failed)[REASON]) == (
        "Failed",
        "deployer pod no longer exists",
    )
    assert [told.message for told in plan.events] == ['Deployer pod "web-1-deploy" has gone missing']


def test_a_pod_of_somebody_else_in_its_place_ends_the_rollout() -> None:
    plan = step(own(), "New", Seen("Running", rollout="other-1"))
    assert phase_after(plan) == "Failed"
    assert "another pod with the same name" in plan.events[0].message


def test_a_pod_that_is_refused_is_tried_again_until_its_time_is_over() -> None:
    refused = Seen(REFUSED, "quota")
    plan = step(own(), "New", refused, now=NOW + 600)
    assert [(told.reason, told.message) for told in plan.events] == [
        ("FailedCreate", "Error creating deployer pod: quota")
    ]
    assert (plan.changed, plan.again is not None) == ([], True)
    late = step(own(), "New", refused, now=NOW + 601)
    assert phase_after(late) == "Failed"
    assert late.events[0].message == 'Rollout for "ns/web-1" failed to create deployer pod (timeoutSeconds: 600s)'


def test_one_that_is_cancelled_waits_for_no_pod() -> None:
    assert phase_after(step(own(), "Running", Seen("Running", rollout="web-1"), cancelled="true")) == "Failed"


def test_other_strategies_have_a_pod_where_they_name_an_image() -> None:
    without: JsonObject = {"command": ["roll", "out"]}
    for custom, expected in ((CUSTOM, True), (without, False)):
        of = config(1, strategy={"type": "Recreate", "customParams": custom})
        assert is_custom(controller(of, 1, "New")) is expected
