"""The status of a Pod as the kubelet tells it: phases, conditions, and what of it is written."""

import msgspec
import pytest
from tests.policy.kubelet.pods_seen import (
    CREATED,
    EXITED,
    NOW,
    Seen,
    container,
    pod,
    run,
    sandbox,
    saw,
    sidecar,
)

from podward.api.json_value import JsonObject
from podward.api.pod_seen import ContainerSeen, Failure, PodEnding, PodSeen, ResizeTold
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import moments, pod_status, pod_status_telling
from podward.schema.view import pod_view

Rows = tuple[tuple[str, dict[str, Seen | None], str], ...]
UP, DONE, FAILED = Seen(), Seen(EXITED), Seen(EXITED, 1)
MOMENT = "2023-11-14T22:13:20Z"


def status(document: JsonObject, seen: PodSeen, before: JsonObject | None = None) -> JsonObject:
    return pod_status.decide(pod_view(document), document, before or {}, seen)


def condition(found: JsonObject, kind: str) -> JsonObject:
    return next(row for row in objects(found, "conditions") if row["type"] == kind)


def brief(found: JsonObject, kind: str) -> str:
    row = condition(found, kind)
    return " ".join(str(row[name]) for name in ("status", "reason", "message") if row.get(name))


PHASES: Rows = (
    ("Always", {}, "Pending"),
    ("Always", {"a": UP, "b": UP}, "Running"),
    ("Always", {"a": UP}, "Pending"),
    ("Always", {"a": DONE, "b": DONE}, "Running"),
    ("Always", {"a": UP, "b": FAILED}, "Running"),
    ("OnFailure", {"a": UP, "b": UP}, "Running"),
    ("OnFailure", {"a": DONE, "b": DONE}, "Succeeded"),
    ("OnFailure", {"a": FAILED, "b": FAILED}, "Running"),
    ("OnFailure", {"a": UP, "b": FAILED}, "Running"),
    ("Never", {"a": UP, "b": UP}, "Running"),
    ("Never", {"a": DONE, "b": DONE}, "Succeeded"),
    ("Never", {"a": FAILED, "b": FAILED}, "Failed"),
    ("Never", {"a": UP, "b": FAILED}, "Running"),
    ("Never", {"a": DONE, "b": FAILED}, "Failed"),
    ("Always", {"a": UP, "b": Seen(CREATED)}, "Pending"),
)


@pytest.mark.parametrize(("policy", "containers", "phase"), PHASES)
def test_the_phase_follows_from_regular_containers(policy: str, containers: dict[str, Seen | None], phase: str) -> None:
    document = pod("a b", restartPolicy=policy)
    assert status(document, saw(document, containers))["phase"] == phase


INITS: Rows = (
    ("Never", {"i": UP}, "Pending"),
    ("Never", {"i": FAILED}, "Failed"),
    ("OnFailure", {"i": FAILED}, "Pending"),
    ("Never", {"i": DONE}, "Pending"),
    ("Never", {"i": DONE, "a": UP}, "Running"),
    ("Never", {"i": DONE, "a": DONE}, "Succeeded"),
)


@pytest.mark.parametrize(("policy", "containers", "phase"), INITS)
def test_the_phase_follows_from_init_containers(policy: str, containers: dict[str, Seen | None], phase: str) -> None:
    document = pod("a", inits=(container("i"),), restartPolicy=policy)
    assert status(document, saw(document, containers))["phase"] == phase


SIDECARS: tuple[tuple[dict[str, Seen | None], str], ...] = (
    ({"s": UP}, "Pending"),
    ({"s": UP, "a": UP}, "Running"),
    ({"s": FAILED, "a": UP}, "Running"),
    ({"s": FAILED, "a": DONE}, "Succeeded"),
    ({"s": UP, "a": DONE}, "Running"),
)


@pytest.mark.parametrize(("containers", "phase"), SIDECARS)
def test_sidecars_do_not_end_a_pod(containers: dict[str, Seen | None], phase: str) -> None:
    document = pod("a", inits=(sidecar("s"),), restartPolicy="Never")
    assert status(document, saw(document, containers))["phase"] == phase


def test_a_new_pod_waits_for_its_containers() -> None:
    found = status(pod("a"), PodSeen(NOW, host_ips=("192.168.0.1",)))
    assert found["containerStatuses"] == [
        {
            "name": "a",
            "state": {"waiting": {"reason": "ContainerCreating"}},
            "lastState": {},
            "ready": False,
            "restartCount": 0,
            "image": "busybox:root",
            "imageID": "",
            "started": False,
        }
    ]
    assert (found["phase"], found["qosClass"], found["hostIP"]) == ("Pending", "BestEffort", "192.168.0.1")
    assert (found["startTime"], found["observedGeneration"]) == (MOMENT, 1)
    assert brief(found, "PodReadyToStartContainers") == "False"
    assert brief(found, "Initialized") == "True"
    assert brief(found, "Ready") == "False ContainersNotReady containers with unready status: [a]"
    assert brief(found, "PodScheduled") == "True"
    assert condition(found, "Ready")["lastTransitionTime"] == MOMENT
    assert "podIP" not in found


def test_a_running_pod_is_ready_and_has_its_addresses() -> None:
    document = pod("a")
    found = status(document, saw(document, {"a": UP}))
    assert (found["phase"], found["podIP"], found["podIPs"]) == ("Running", "10.0.0.1", [{"ip": "10.0.0.1"}])
    row = objects(found, "containerStatuses")[0]
    assert (row["ready"], row["started"], row["containerID"]) == (True, True, "podward://a-0")
    assert row["imageID"] == "sha256:abc"
    assert {brief(found, kind) for kind in ("Ready", "ContainersReady", "Initialized")} == {"True"}


def test_conditions_keep_their_time_while_their_status_stays() -> None:
    document = pod("a")
    first = status(document, PodSeen(NOW - 100))
    later = status(document, saw(document, {"a": UP}), first)
    assert condition(later, "PodScheduled")["lastTransitionTime"] != MOMENT
    assert condition(later, "Ready")["lastTransitionTime"] == MOMENT
    assert later["startTime"] == first["startTime"] != MOMENT


def test_a_resize_tells_when_its_state_was_found_out_and_since_when_it_has_its_reason() -> None:
    def told(at: float, reason: str, message: str, before: JsonObject | None = None) -> JsonObject:
        return status(pod("a"), PodSeen(at, resizes=(ResizeTold("PodResizeInProgress", 2, reason, message),)), before)

    def times(found: JsonObject) -> tuple[object, object]:
        row = condition(found, "PodResizeInProgress")
        return row["lastProbeTime"], row["lastTransitionTime"]

    first, later = told(NOW, "Error", "one"), moments.of(NOW + 1)
    assert times(first) == (MOMENT, MOMENT)
    assert times(told(NOW + 1, "Error", "one", first)) == (MOMENT, MOMENT)
    assert times(told(NOW + 1, "Error", "two", first)) == (later, MOMENT)
    assert times(told(NOW + 1, "", "", first)) == (later, later)


def test_init_containers_that_are_not_done_are_named() -> None:
    document = pod("a", inits=(container("i"), sidecar("s")))
    found = status(document, saw(document, {"i": UP}))
    expected = "False ContainersNotInitialized containers with incomplete status: [i s]"
    assert brief(found, "Initialized") == expected
    reasons = [member(member(row, "state"), "waiting").get("reason") for row in objects(found, "containerStatuses")]
    assert reasons == ["PodInitializing"]


def test_readiness_gates_are_asked_of_the_conditions_of_others() -> None:
    document = pod("a", readinessGates=[{"conditionType": "x/y"}])
    seen = saw(document, {"a": UP})
    missing = 'corresponding condition of pod readiness gate "x/y" does not exist.'
    assert brief(status(document, seen), "Ready") == f"False ReadinessGatesNotReady {missing}"
    for word, told in (("False", 'the status of pod readiness gate "x/y" is not "True", but False'), ("True", "")):
        document["status"] = {"conditions": [{"type": "x/y", "status": word}]}
        found = brief(status(document, seen), "Ready")
        assert found == (f"False ReadinessGatesNotReady {told}" if told else "True")


def test_a_container_that_cannot_start_says_why_and_keeps_how_it_ended() -> None:
    document = pod("a")
    failure = Failure("CrashLoopBackOff", "back-off 10s")
    found = status(document, saw(document, {"a": Seen(EXITED, 3, failure=failure)}))
    row = objects(found, "containerStatuses")[0]
    assert row["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    assert member(member(row, "lastState"), "terminated")["exitCode"] == 3
    assert found["phase"] == "Running"
    never = pod("a", restartPolicy="Never")
    row = objects(status(never, saw(never, {"a": Seen(EXITED, 3, failure=failure)})), "containerStatuses")[0]
    assert "terminated" in member(row, "state")


def test_probes_say_whether_a_container_has_started_and_is_ready() -> None:
    probe: JsonObject = {"exec": {"command": ["true"]}}
    document = pod(containers=[container("a", startupProbe=probe, readinessProbe=probe)])
    for startup, readiness, started, ready in (
        (None, None, False, False),
        (False, True, False, False),
        (True, None, True, False),
        (True, False, True, False),
        (True, True, True, True),
    ):
        found = status(document, saw(document, {"a": Seen(startup=startup, readiness=readiness)}))
        row = objects(found, "containerStatuses")[0]
        assert (row["started"], row["ready"]) == (started, ready)


def test_who_was_running_and_is_gone_was_ended() -> None:
    document = pod("a")
    before = status(document, saw(document, {"a": UP}))
    row = objects(status(document, saw(document, {}), before), "containerStatuses")[0]
    ended = member(member(row, "lastState"), "terminated")
    assert (ended["exitCode"], ended["reason"], row["restartCount"]) == (137, "ContainerStatusUnknown", 1)


def test_a_pod_that_ends_for_a_reason_has_failed() -> None:
    document = pod("a")
    ending = PodEnding("Evicted", "The node was low on resource: memory.", disruption="The node was low on …")
    seen = saw(document, {"a": UP}, ending=ending)
    found = status(document, seen)
    assert (found["phase"], found["reason"]) == ("Failed", "Evicted")
    assert brief(found, "DisruptionTarget") == "True TerminationByKubelet The node was low on …"
    assert brief(found, "Ready") == "False PodFailed"


def test_a_rejected_pod_tells_nothing_else() -> None:
    ending = PodEnding("OutOfcpu", "Node didn't have enough resource: cpu", rejected=True)
    document = pod("a")
    assert status(document, PodSeen(NOW, ending=ending)) == {
        "phase": "Failed",
        "reason": "OutOfcpu",
        "message": "Pod was rejected: Node didn't have enough resource: cpu",
        "qosClass": "BestEffort",
        "startTime": MOMENT,
        "observedGeneration": 1,
    }


def test_the_end_is_told_once_nothing_can_run_any_more() -> None:
    document = pod("a", restartPolicy="Never")
    running = status(document, saw(document, {"a": UP}))
    found = status(document, saw(document, {"a": DONE}), running)
    early = pod_status_telling.merged(found, running, could_run=True)
    assert (found["phase"], early["phase"]) == ("Succeeded", "Running")
    late = pod_status_telling.merged(found, running, could_run=False)
    assert late["phase"] == "Succeeded"
    assert brief(late, "Ready") == "False PodCompleted"


def test_a_patch_has_what_differs_and_takes_back_only_what_is_ours() -> None:
    document = pod("a")
    api = status(document, saw(document, {"a": UP}))
    assert pod_status_telling.patch(api, api, "u") is None
    api["conditions"] = [*objects(api, "conditions"), {"type": "x", "status": "True"}]
    rejected = status(document, PodSeen(NOW, ending=PodEnding("OutOfpods", "…", rejected=True)), api)
    found = pod_status_telling.patch(pod_status_telling.merged(rejected, api, could_run=False), api, "u")
    assert found is not None
    change = member(found, "status")
    assert found["metadata"] == {"uid": "u"}
    assert (change["phase"], change["containerStatuses"]) == ("Failed", None)
    rows = objects(change, "conditions")
    assert {row["type"] for row in rows if row.get("$patch") == "delete"} >= {"Ready", "PodScheduled"}
    assert not any(row["type"] == "x" for row in rows)


def test_amounts_are_told_as_a_whole() -> None:
    api: JsonObject = {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}}
    found = pod_status_telling.patch({"resources": {"requests": {"cpu": "2"}}}, api, "u")
    assert found is not None
    assert member(found, "status") == {"resources": {"requests": {"cpu": "2"}, "$patch": "replace"}}
    first = pod_status_telling.patch({"resources": {}}, {}, "u")  # a directive alone would leave nothing
    assert first is not None
    assert member(first, "status") == {"resources": {}}


def test_what_never_was_told_to_have_ended_has_ended_unknown() -> None:
    document = pod("a", inits=(container("i"), container("j")))
    before = status(document, saw(document, {"i": UP}))
    document["status"] = before
    found = pod_status.ended(document, before)
    codes = [
        member(member(row, "state"), "terminated").get("exitCode")
        for name in ("initContainerStatuses", "containerStatuses")
        for row in objects(found, name)
    ]
    assert (found["phase"], codes) == ("Failed", [137, None, None])


def test_a_pod_on_the_nodes_network_has_the_nodes_address() -> None:
    document = pod("a", hostNetwork=True)
    found = status(document, saw(document, {"a": UP}, sandbox(network="NODE")))
    assert found["podIP"] == found["hostIP"] == "192.168.0.1"


def test_a_last_word_is_cut_to_its_share() -> None:
    document = pod("a b")
    seen = saw(document, {"a": FAILED, "b": UP})
    row = seen.containers["a"].runs[0]
    long = msgspec.structs.replace(row.status, message="x" * 20000)
    runs = (msgspec.structs.replace(row, status=long),)
    containers = {**seen.containers, "a": msgspec.structs.replace(seen.containers["a"], runs=runs)}
    found = status(document, msgspec.structs.replace(seen, containers=containers))
    ended = member(member(objects(found, "containerStatuses")[0], "state"), "terminated")
    assert len(str(ended["message"])) == 6144


def test_a_node_that_has_just_begun_keeps_what_was_told_of_a_run() -> None:
    probe: JsonObject = {"exec": {"command": ["true"]}}
    document = pod(containers=[container("a", startupProbe=probe, readinessProbe=probe)])
    before = status(document, saw(document, {"a": Seen(startup=True, readiness=True)}))
    for attempt, expected in ((0, True), (1, False)):
        row = objects(status(document, saw(document, {"a": Seen(attempt=attempt)}), before), "containerStatuses")[0]
        assert (row["started"], row["ready"]) == (expected, expected)


def test_a_condition_that_is_true_again_has_no_reason_any_more() -> None:
    document = pod("a")
    before = status(document, PodSeen(NOW))
    after = status(document, saw(document, {"a": UP}), before)
    found = pod_status_telling.patch(after, before, "u")
    assert found is not None
    row = next(row for row in objects(member(found, "status"), "conditions") if row["type"] == "Ready")
    assert (row["status"], row["reason"], row["message"]) == ("True", None, None)


def test_the_run_before_is_the_last_state_until_the_newest_has_ended_and_waits() -> None:
    document = pod("a")
    older, newest = run(pod_view(document), "a", Seen(EXITED, 1)), run(pod_view(document), "a", Seen(EXITED, 2, 1))
    for failure, expected in ((None, (2, 1)), (Failure("CrashLoopBackOff"), (None, 2))):
        seen = PodSeen(NOW, (sandbox(),), {"a": ContainerSeen((newest, older), failure)})
        row = objects(status(document, seen), "containerStatuses")[0]
        codes = [member(member(row, state), "terminated").get("exitCode") for state in ("state", "lastState")]
        assert (tuple(codes), row["restartCount"]) == (expected, 1)
