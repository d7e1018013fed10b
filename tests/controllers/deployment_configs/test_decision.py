"""The rollouts of DeploymentConfigs, and what a deployer does in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from rollout_samples import RECREATE, config, controller
from workload_samples import NOW, meta

from podward.api.json_value import JsonObject
from podward.controllers.apps.ownership import annotations_of, labels_of, name_of
from podward.controllers.deployment_configs import deployer, rollouts
from podward.controllers.deployment_configs.decision import Plan, decide
from podward.controllers.deployment_configs.deployer import Facts, Step
from podward.controllers.deployment_configs.rollouts import DESIRED, PHASE, REASON, SIZE, STARTED
from podward.documents.raw_fields import member, objects


def step(of: JsonObject, *controllers: JsonObject, pods: int = 0) -> Plan:
    return decide(of, controllers, lambda _: pods, NOW)


def test_a_change_of_the_config_begins_the_first_rollout() -> None:
    plan = step(config())
    assert plan.status == {
        "latestVersion": 1,
        "details": {"message": "config change", "causes": [{"type": "ConfigChange"}]},
    }


def test_without_a_trigger_it_waits_to_be_told() -> None:
    plan = step(config(triggers=[]))
    assert (plan.created, (plan.status or {})["latestVersion"]) == (None, 0)
    assert step(config(1, triggers=[])).created is not None


def test_the_controller_of_a_rollout_begins_empty() -> None:
    begun = config(1)
    begun["status"] = {"latestVersion": 1, "details": {"message": "config change"}}
    plan = step(begun)
    made = plan.created
    assert made is not None
    correlated = {"deploymentconfig": "web", "deployment": "web-1"}
    assert (name_of(made), member(made, "spec")["replicas"]) == ("web-1", 0)
    assert member(made, "spec")["selector"] == {"app": "web", **correlated}
    assert labels_of(member(member(made, "spec"), "template")) == {"app": "web", **correlated}
    annotations = annotations_of(made)
    assert {name: annotations[name] for name in (PHASE, DESIRED, SIZE, REASON)} == {
        PHASE: "New", DESIRED: "2", SIZE: "0", REASON: "config change",
    }  # fmt: skip
    assert json.loads(str(annotations["openshift.io/encoded-deployment-config"]))["spec"] == begun["spec"]
    assert [told.message for told in plan.events] == ['Created new replication controller "web-1" for version 1']
    reasons = [each.get("reason") for each in objects(plan.status or {}, "conditions")]
    assert reasons == [None, "NewReplicationControllerCreated"]


def test_another_template_begins_the_next_rollout_if_that_is_a_trigger() -> None:
    before = controller(config(1), 1, "Complete", 2)
    assert (step(config(1, "web:2"), before).status or {})["latestVersion"] == 2
    assert (step(config(1, "web:2", triggers=[]), before).status or {})["latestVersion"] == 1
    assert (step(config(1), before).status or {})["latestVersion"] == 1


def test_a_rollout_that_runs_is_cancelled_by_the_next() -> None:
    plan = step(config(2), controller(config(1), 1, "Running", 1))
    [(changed, told)] = plan.changed
    assert annotations_of(changed)[PHASE] == "Failed"
    assert told is not None
    assert told.message == 'Cancelled deployment "web-1" superceded by version 2'
    assert plan.created is None


def test_a_new_rollout_runs_and_is_complete_when_its_pods_are_available() -> None:
    own = config(1)
    [(running, _)] = step(own, controller(own, 1, "New")).changed
    assert annotations_of(running)[PHASE] == "Running"
    [(scaled, told)] = step(own, controller(own, 1, "Running")).changed
    assert member(scaled, "spec")["replicas"] == 2
    assert told is not None
    assert told.message == 'Scaled replication controller "web-1" from 0 to 2'
    assert step(own, controller(own, 1, "Running", 2, available=1)).changed == []
    [(done, _)] = step(own, controller(own, 1, "Running", 2)).changed
    annotations = annotations_of(done)
    assert (annotations[PHASE], annotations[SIZE], DESIRED in annotations) == ("Complete", "2", False)


def test_while_a_rollout_runs_its_generation_is_not_observed() -> None:
    own = config(1)
    assert (step(own, controller(own, 1, "Running", 1)).status or {})["observedGeneration"] == 0
    assert (step(own, controller(own, 1, "Complete", 2)).status or {})["observedGeneration"] == 1


def test_a_config_that_is_paused_begins_nothing_and_ends_what_has_begun() -> None:
    own = config(1, "web:2", paused=True)
    assert (step(own, controller(config(1), 1, "Complete", 2)).status or {})["latestVersion"] == 1
    [(scaled, _)] = step(own, controller(config(1), 1, "Running")).changed
    assert member(scaled, "spec")["replicas"] == 2


def test_when_it_is_over_the_active_one_has_the_replicas() -> None:
    own = config(2, replicas=5)
    one, two = controller(own, 1, "Complete", 2), controller(own, 2, "Failed", 1)
    sizes = {name_of(each): member(each, "spec")["replicas"] for each, _ in step(own, one, two).changed}
    assert sizes == {"web-1": 5, "web-2": 0}
    tested = step(config(1, test=True), controller(own, 1, "Complete", 2)).changed
    assert [member(each, "spec")["replicas"] for each, _ in tested] == [0]


def test_a_rollout_that_is_cancelled_or_late_has_failed() -> None:
    own = config(1)
    cancelled = rollouts.with_annotations(controller(own, 1, "Running", 1), {rollouts.CANCELLED: "true"})
    [(ended, told)] = step(own, cancelled).changed
    assert annotations_of(ended)[PHASE] == "Failed"
    assert told is not None
    assert told.reason == "RolloutCancelled"
    late = controller(own, 1, "Running", 2, available=0)
    late = rollouts.with_annotations(late, {STARTED: rollouts.moment(NOW - 601)})
    [(ended, _)] = step(own, late).changed
    assert "timed out" in str(annotations_of(ended)[REASON])


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("Failed", ("False", "ProgressDeadlineExceeded", 'replication controller "web-1" has failed progressing')),
        ("Complete", ("True", "NewReplicationControllerAvailable", 'replication controller "web-1" successfully rolled out')),  # noqa: E501 - one row
    ],
)  # fmt: skip
def test_progress(phase: str, expected: tuple[str, str, str]) -> None:
    own = config(1)
    found = objects(step(own, controller(own, 1, phase, 2)).status or {}, "conditions")[1]
    assert (found["status"], found["reason"], found["message"]) == expected


def test_old_controllers_are_deleted_beyond_the_limit() -> None:
    own = config(4, revisionHistoryLimit=1)
    found = [controller(own, version, "Complete", 2 if version == 4 else 0) for version in (1, 2, 3, 4)]
    assert step(own, *found).deleted == ["web-1", "web-2"]


# --- the deployer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((2, 2), (0, 0), Step(1, 2)),
        ((2, 2), (1, 0), Step(1, 2)),
        ((2, 2), (1, 1), Step(1, 1)),
        ((1, 1), (1, 1), Step(2, 1)),
        ((1, 1), (2, 1), Step(2, 1)),
        ((1, 1), (2, 2), Step(2, 0)),
        ((0, 0), (2, 2), Step(2, 0, done=True)),
    ],
)
def test_rolling(old: tuple[int, int], new: tuple[int, int], expected: Step) -> None:
    own = config(2)
    before = controller(own, 1, "Complete", old[0], available=old[1])
    facts = Facts(controller(own, 2, "Running", new[0], available=new[1]), before, 0, None, NOW)
    assert deployer.decide(facts) == expected


@pytest.mark.parametrize(
    ("old", "pods", "new", "expected"),
    [
        (2, 2, (0, 0), Step(0, 0)),
        (0, 1, (0, 0), Step(0, 0)),
        (0, 0, (0, 0), Step(1, 0)),
        (0, 0, (1, 0), Step(1, 0)),
        (0, 0, (1, 1), Step(2, 0)),
        (0, 0, (2, 1), Step(2, 0, done=True)),
    ],
)
def test_recreating(old: int, pods: int, new: tuple[int, int], expected: Step) -> None:
    own = config(2, strategy=RECREATE)
    before = controller(own, 1, "Complete", old)
    facts = Facts(controller(own, 2, "Running", new[0], available=new[1]), before, pods, None, NOW)
    assert deployer.decide(facts) == expected


def test_a_strategy_that_nobody_knows_fails() -> None:
    facts = Facts(controller(config(1, strategy={"type": "Other"}), 1, "Running"), None, 0, None, NOW)
    assert deployer.decide(facts).failure == "unsupported strategy type: Other"


def test_a_moment_is_read_as_it_is_written() -> None:
    found = rollouts.with_annotations({"metadata": meta("web")}, {STARTED: rollouts.moment(NOW)})
    assert annotations_of(found)[STARTED] == datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    assert rollouts.started_at(found) == NOW
    assert rollouts.started_at({}) is None
