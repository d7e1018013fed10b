"""What the kubelet does next for a Pod: its own table of cases, and what its loop adds to them."""

from collections.abc import Mapping

import pytest
from tests.policy.kubelet.pods_seen import (
    CREATED,
    EXITED,
    NOW,
    UNKNOWN,
    Seen,
    container,
    pod,
    sandbox,
    saw,
    sidecar,
)

from podward.api.cri_status import PodSandboxStatus
from podward.api.json_value import JsonObject
from podward.api.pod_seen import BackOff, PodSeen
from podward.policy.kubelet import pod_actions, pod_status
from podward.policy.kubelet.pod_actions import PodActions
from podward.schema.view import pod_view

Rows = tuple[tuple[str, Mapping[str, Seen | None], str], ...]
UP = Seen()
DONE, FAILED = Seen(EXITED), Seen(EXITED, 111)
ALL: Mapping[str, Seen | None] = {"foo1": UP, "foo2": UP, "foo3": UP}
ENDED: Mapping[str, Seen | None] = {"foo1": DONE, "foo2": DONE, "foo3": DONE}
DEAD = sandbox(ready=False)
THREE = "foo1 foo2 foo3"


def actions(document: JsonObject, seen: PodSeen) -> PodActions:
    view = pod_view(document)
    return pod_actions.decide(view, pod_status.decide(view, document, {}, seen), seen)


def told(found: PodActions) -> str:
    """What is done, in words."""
    parts = ["kill pod"] if found.kill_pod else [f"kill {kill.name}" for kill in found.kill]
    parts += [f"remove {each.name}" + ("!" if each.running else "") for each in found.remove]
    parts += [f"sandbox {found.attempt}"] if found.create_sandbox else []
    parts += [f"start {' '.join(each.name for each in found.start)}"] if found.start else []
    parts += [f"hold {each.name}" for each in found.held]
    return ", ".join(parts)


LIVENESS, STARTUP = Seen(liveness=False), Seen(startup=False)
REGULAR: Rows = (
    ("Always", ALL, ""),
    ("Always", {**ALL, "foo1": DONE, "foo2": FAILED}, "start foo1 foo2"),
    ("OnFailure", {**ALL, "foo1": DONE, "foo2": FAILED}, "start foo2"),
    ("OnFailure", {**ALL, "foo1": DONE, "foo2": Seen(CREATED)}, "start foo2"),
    ("Never", {**ALL, "foo1": DONE, "foo2": FAILED}, ""),
    ("Always", {**ALL, "foo2": Seen(changed=True)}, "kill foo2, start foo2"),
    ("Never", {**ALL, "foo2": Seen(changed=True)}, "kill foo2, start foo2"),
    ("Always", {**ALL, "foo2": LIVENESS}, "kill foo2, start foo2"),
    ("Never", {**ALL, "foo2": LIVENESS}, "kill foo2"),
    ("Always", {**ALL, "foo2": STARTUP}, "kill foo2, start foo2"),
    ("Never", {**ALL, "foo2": Seen(UNKNOWN)}, "kill foo2, start foo2"),
    ("Never", {**ALL, "foo2": Seen(CREATED)}, "start foo2"),
    ("Never", ENDED, "kill pod"),
    ("OnFailure", ENDED, "kill pod"),
    ("Never", {"foo1": UP, "foo2": UP}, "start foo3"),
)


@pytest.mark.parametrize(("policy", "containers", "expected"), REGULAR)
def test_regular_containers_are_started_and_ended(
    policy: str, containers: Mapping[str, Seen | None], expected: str
) -> None:
    document = pod(restartPolicy=policy)
    assert told(actions(document, saw(document, containers))) == expected


SANDBOXES: tuple[tuple[str, Mapping[str, Seen | None], PodSandboxStatus, str], ...] = (
    ("Always", ALL, DEAD, f"kill pod, sandbox 1, start {THREE}"),
    ("OnFailure", {**ALL, "foo2": DONE}, DEAD, "kill pod, sandbox 1, start foo1 foo3"),
    ("Always", ALL, sandbox(ip=""), f"kill pod, sandbox 1, start {THREE}"),
    ("Always", ALL, sandbox(network="NODE"), f"kill pod, sandbox 1, start {THREE}"),
    ("Never", ENDED, sandbox(ready=False, attempt=1), "kill pod"),
    ("OnFailure", ENDED, sandbox(ready=False, attempt=1), "kill pod"),
    ("Never", {}, sandbox(ready=False, attempt=2), f"kill pod, sandbox 3, start {THREE}"),
)


@pytest.mark.parametrize(("policy", "containers", "box", "expected"), SANDBOXES)
def test_a_sandbox_is_made_anew(
    policy: str, containers: Mapping[str, Seen | None], box: PodSandboxStatus, expected: str
) -> None:
    document = pod(restartPolicy=policy)
    assert told(actions(document, saw(document, containers, box))) == expected


def test_a_new_pod_gets_a_sandbox_and_its_first_init_container_or_all_regular_ones() -> None:
    for document, expected in (
        (pod(), f"kill pod, sandbox 0, start {THREE}"),
        (pod(inits=(container("init1"), container("init2"))), "kill pod, sandbox 0, start init1"),
    ):
        assert told(actions(document, PodSeen(NOW))) == expected


def test_two_ready_sandboxes_are_one_too_many() -> None:
    document = pod()
    found = actions(document, saw(document, ALL, sandbox(attempt=1), sandbox()))
    assert told(found) == f"kill pod, sandbox 2, start {THREE}"
    assert [kill.name for kill in found.kill] == ["foo1", "foo2", "foo3"]


INITS: Rows = (
    ("Always", {"init1": DONE, "init2": DONE, "init3": DONE}, f"start {THREE}"),
    ("Always", {"init3": DONE}, f"start {THREE}"),
    ("Always", {"init1": UP}, ""),
    ("Always", {"init1": DONE}, "start init2"),
    ("Always", {"init1": DONE, "init2": FAILED}, "start init2"),
    ("OnFailure", {"init1": DONE, "init2": FAILED}, "start init2"),
    ("Never", {"init1": DONE, "init2": FAILED}, "kill pod"),
    ("Never", {"init1": DONE, "init2": Seen(CREATED)}, "start init2"),
    ("Always", {"init1": Seen(UNKNOWN)}, "kill init1, start init1"),
    ("Never", {"init1": Seen(UNKNOWN)}, "kill pod"),
    ("Always", ALL, ""),
    ("Always", {}, "start init1"),
)


@pytest.mark.parametrize(("policy", "containers", "expected"), INITS)
def test_init_containers_come_first(policy: str, containers: Mapping[str, Seen | None], expected: str) -> None:
    document = pod(inits=tuple(container(f"init{n}") for n in (1, 2, 3)), restartPolicy=policy)
    assert told(actions(document, saw(document, containers))) == expected


SIDE: Mapping[str, Seen | None] = {"side1": UP, "side2": UP, "side3": UP}
SIDECARS: tuple[tuple[Mapping[str, Seen | None], str], ...] = (
    ({}, "start side1"),
    ({"side1": UP}, "start side2"),
    ({"side1": UP, "side2": UP}, "start side3"),
    (SIDE, f"start {THREE}"),
    ({**SIDE, **ALL}, ""),
    ({**SIDE, **ALL, "side2": FAILED}, "start side2"),
    ({**SIDE, **ALL, "side2": DONE, "side1": None}, "start side1 side2"),
    ({**SIDE, **ALL, "side2": LIVENESS}, "kill side2, start side2"),
    ({**SIDE, **ALL, "side2": Seen(changed=True)}, "kill side2, start side2"),
    ({**SIDE, **ALL, "side2": Seen(UNKNOWN)}, "kill side2, start side2"),
    ({**SIDE, **ENDED}, "kill pod"),
    ({**SIDE, **ENDED, "side1": FAILED}, "kill pod"),
)


@pytest.mark.parametrize(("containers", "expected"), SIDECARS)
def test_sidecars_run_beside_the_others(containers: Mapping[str, Seen | None], expected: str) -> None:
    probe: JsonObject = {"exec": {"command": ["true"]}}
    inits = tuple(sidecar(f"side{n}", livenessProbe=probe) for n in (1, 2, 3))
    document = pod(inits=inits, restartPolicy="Never")
    assert told(actions(document, saw(document, containers))) == expected


def test_a_sidecar_with_a_startup_probe_holds_up_the_next_one_until_it_succeeds() -> None:
    probe: JsonObject = {"exec": {"command": ["true"]}}
    document = pod(inits=(sidecar("side1", startupProbe=probe), container("init2")))
    for startup, expected in ((None, ""), (False, "kill side1, start side1"), (True, "start init2")):
        found = actions(document, saw(document, {"side1": Seen(startup=startup)}))
        assert told(found) == expected


def test_an_ephemeral_container_starts_whenever_and_never_again() -> None:
    document = pod(inits=(container("init1"),), ephemeralContainers=[container("debug")])
    assert told(actions(document, saw(document, {"init1": UP}))) == "start debug"
    assert told(actions(document, saw(document, {"init1": UP, "debug": DONE}))) == ""


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"terminated": {"exitCode": 0}}, ""),
        ({"running": {}}, ""),
        ({"waiting": {"reason": "ErrImagePull"}}, "start debug"),
    ],
)
def test_an_ephemeral_container_of_which_no_run_is_left_has_been_started_as_its_status_says(
    state: JsonObject, expected: str
) -> None:
    document = pod(ephemeralContainers=[container("debug")])
    row: JsonObject = {"name": "debug", "state": state, "lastState": {}, "restartCount": 0}
    seen, view = saw(document, ALL), pod_view(document)
    status = pod_status.decide(view, document, {"ephemeralContainerStatuses": [row]}, seen)
    assert told(pod_actions.decide(view, status, seen)) == expected


RULES: list[JsonObject] = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]


@pytest.mark.parametrize(
    ("code", "policy", "expected"),
    [(42, "Never", "start foo1"), (1, "Never", ""), (1, "OnFailure", "start foo1"), (0, "OnFailure", "")],
)
def test_a_container_restarts_by_its_own_rules(code: int, policy: str, expected: str) -> None:
    own = container("foo1", restartPolicy=policy, restartPolicyRules=[*RULES])
    document = pod(restartPolicy="Never", containers=[own, container("foo2")])
    assert told(actions(document, saw(document, {"foo1": Seen(EXITED, code), "foo2": UP}))) == expected


def test_all_containers_begin_anew_and_who_caused_it_is_removed_last() -> None:
    rules: list[JsonObject] = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]
    cause = container("foo1", restartPolicy="Never", restartPolicyRules=[*rules])
    document = pod(inits=(container("init1"),), containers=[cause, container("foo2")])
    found = actions(document, saw(document, {"init1": DONE, "foo1": Seen(EXITED, 42), "foo2": UP}))
    assert told(found) == "remove foo2!, remove init1, remove foo1"


def test_who_crashed_waits_and_says_so() -> None:
    document = pod()
    crashed = Seen(EXITED, 1, attempt=2, back_off=BackOff(20, NOW - 30))
    found = actions(document, saw(document, {**ALL, "foo2": crashed}))
    assert told(found) == "hold foo2"
    assert found.held[0].failure.reason == "CrashLoopBackOff"
    message = "back-off 20s restarting failed container=foo2 pod=foo_new(12345678)"
    assert found.held[0].failure.message == message
    assert found.again == found.held[0].until == NOW + 15
    waited = saw(document, {**ALL, "foo2": Seen(EXITED, 1, 2, back_off=BackOff(5, NOW - 30))})
    started = actions(document, waited).start[0]
    assert (started.name, started.attempt, started.back_off) == ("foo2", 3, BackOff(10, NOW))


def test_an_init_container_that_waits_keeps_sidecars_after_it_waiting() -> None:
    document = pod("foo1", inits=(container("init1"), sidecar("side2")))
    crashed = Seen(EXITED, 1, back_off=BackOff(10, NOW - 20))
    assert told(actions(document, saw(document, {"init1": crashed}))) == "hold init1"


def test_the_time_to_end_is_the_probes_the_pods_or_that_of_the_deletion() -> None:
    probe: JsonObject = {"exec": {"command": ["true"]}, "terminationGracePeriodSeconds": 7}
    document = pod(containers=[container("foo1", livenessProbe=probe, startupProbe=probe), container("foo2")])
    view = pod_view(document)
    for seen, grace in ((LIVENESS, 7), (STARTUP, 7), (Seen(changed=True), 30)):
        assert actions(document, saw(document, {"foo1": seen, "foo2": UP})).kill[0].grace == grace
    assert pod_actions.end(view, saw(document, {"foo1": UP}, grace=3, deleted=True)).kill[0].grace == 3
    bare = pod(terminationGracePeriodSeconds=None)
    assert pod_actions.grace_of(pod_view(bare), PodSeen(NOW)) == 2


def test_sidecars_end_after_the_regular_containers_the_last_one_first() -> None:
    document = pod("foo1 foo2", inits=(sidecar("side1"), sidecar("side2")))
    seen = saw(document, {"side1": UP, "side2": UP, "foo1": UP, "foo2": DONE})
    found = pod_actions.end(pod_view(document), seen)
    assert found.kill_pod
    assert {kill.name: kill.after for kill in found.kill} == {
        "side1": ("foo1", "side2"),
        "side2": ("foo1",),
        "foo1": (),
    }
    assert found.kill[0].message == "Stopping container side1"


def test_what_is_deleted_is_not_started_again() -> None:
    document = pod(restartPolicy="Always")
    assert told(actions(document, saw(document, {**ALL, "foo1": FAILED}, deleted=True))) == ""
