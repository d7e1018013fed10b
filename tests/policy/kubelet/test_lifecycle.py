"""When containers start, restart and stop, as the kubelet decides it."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from podward.policy.kubelet.lifecycle import FOLLOWS, ContainerState, ContainerStatus, backoff, next_actions

RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED
INIT = ContainerStatus("i", "init")
SIDE = ContainerStatus("s", "sidecar")
MAIN = ContainerStatus("m", "regular")


def become(status: ContainerStatus, state: ContainerState, code: int = 0) -> ContainerStatus:
    return ContainerStatus(status.name, status.kind, state, code)


def test_init_containers_start_one_after_the_other() -> None:
    second = ContainerStatus("i2", "init")
    assert next_actions((INIT, second, MAIN), "Always").start == ("i",)
    assert next_actions((become(INIT, RUNNING), second, MAIN), "Always").start == ()
    assert next_actions((become(INIT, EXITED), second, MAIN), "Always").start == ("i2",)


def test_a_failed_init_container_fails_the_pod_only_under_never() -> None:
    failed = become(INIT, EXITED, 3)
    never = next_actions((failed, MAIN), "Never")
    assert (never.done, never.exit_code, never.start) == (True, 3, ())
    assert next_actions((failed, MAIN), "OnFailure").restart == ("i",)
    assert next_actions((failed, MAIN), "Always").restart == ("i",)


def test_a_running_sidecar_lets_the_next_container_start() -> None:
    assert next_actions((SIDE, INIT, MAIN), "Never").start == ("s",)
    assert next_actions((become(SIDE, RUNNING), INIT, MAIN), "Never").start == ("i",)


def test_a_sidecar_that_did_not_stay_holds_up_what_has_not_begun() -> None:
    gone = become(SIDE, EXITED, 127)
    for after in ((MAIN,), (INIT, MAIN), (ContainerStatus("s2", "sidecar"), MAIN)):
        actions = next_actions((gone, *after), "Never")
        assert (actions.start, actions.restart, actions.done) == ((), ("s",), False)
    assert next_actions((gone, become(INIT, EXITED), MAIN), "Never").start == ("m",)
    assert next_actions((gone, become(MAIN, EXITED, 1)), "Always").restart == ("s",), "before the regular one"
    assert next_actions((gone, become(MAIN, EXITED, 1)), "Never").done


def test_nothing_waits_for_a_sidecar_while_a_regular_container_runs() -> None:
    again = ContainerStatus("s", "sidecar", RUNNING, starting=True)
    ended, other = become(MAIN, EXITED, 3), ContainerStatus("m2", "regular", RUNNING)
    assert next_actions((again, ended, other), "OnFailure").restart == ("m",)
    assert next_actions((again, ended), "OnFailure").restart == ()


def test_what_comes_after_a_container_waits_while_it_is_starting() -> None:
    side = ContainerStatus("s", "sidecar", RUNNING, starting=True)
    assert next_actions((side, MAIN), "Never").start == ()
    assert next_actions((become(SIDE, RUNNING), MAIN), "Never").start == ("m",)
    second = ContainerStatus("m2", "regular")
    assert next_actions((MAIN, second), "Never").start == ("m",), "one after the other"
    hooked = ContainerStatus("m", "regular", RUNNING, starting=True)
    assert next_actions((hooked, second), "Never").start == ()
    assert next_actions((become(MAIN, RUNNING), second), "Never").start == ("m2",)


def test_a_container_that_a_probe_ended_is_restarted_on_failure_whatever_its_exit_code() -> None:
    ended = ContainerStatus("m", "regular", EXITED, unhealthy=True)
    assert next_actions((ended,), "OnFailure").restart == ("m",)
    assert next_actions((ended,), "Never").done


def test_a_sidecar_is_restarted_whatever_the_pod_says_and_stopped_last() -> None:
    running = become(MAIN, RUNNING)
    assert next_actions((become(SIDE, EXITED), running), "Never").restart == ("s",)
    two = ContainerStatus("s2", "sidecar", RUNNING)
    actions = next_actions((become(SIDE, RUNNING), two, become(MAIN, EXITED)), "Never")
    assert (actions.stop, actions.done) == (("s2",), False)
    actions = next_actions((become(SIDE, RUNNING), become(two, EXITED), become(MAIN, EXITED)), "Never")
    assert actions.stop == ("s",)


def test_the_restart_policy_decides_about_ended_containers() -> None:
    good, bad = become(MAIN, EXITED), become(MAIN, EXITED, 1)
    assert next_actions((good,), "Always").restart == ("m",)
    assert next_actions((good,), "OnFailure").done
    assert next_actions((bad,), "OnFailure").restart == ("m",)
    assert next_actions((bad,), "Never").exit_code == 1


def test_the_pods_code_is_the_first_failure_in_the_manifests_order() -> None:
    statuses = (
        ContainerStatus("a", "regular", EXITED),
        ContainerStatus("b", "regular", EXITED, 7),
        ContainerStatus("c", "regular", EXITED, 9),
    )
    assert next_actions(statuses, "Never").exit_code == 7


def test_the_first_restart_is_immediate_and_the_wait_doubles_to_five_minutes() -> None:
    assert [backoff(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 500)] == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_container_never_waits_again_and_never_runs_twice_at_once() -> None:
    assert not any(ContainerState.WAITING in next_ for next_ in FOLLOWS.values())
    assert [state for state, next_ in FOLLOWS.items() if state in next_] == [EXITED]
    assert all(EXITED in next_ for next_ in FOLLOWS.values())


STATUS = st.builds(
    ContainerStatus,
    st.sampled_from("abcdef"),
    st.sampled_from(("init", "sidecar", "regular")),
    st.sampled_from(ContainerState),
    st.sampled_from((0, 1, 137)),
)


@given(st.lists(STATUS, max_size=6, unique_by=lambda s: s.name), st.sampled_from(("Always", "OnFailure", "Never")))
def test_a_pod_is_done_only_when_nothing_runs_and_never_waits_for_nothing(
    statuses: list[ContainerStatus], policy: str
) -> None:
    ordered = tuple(sorted(statuses, key=lambda s: s.kind == "regular"))
    actions = next_actions(ordered, policy)
    running = {s.name for s in ordered if s.state == RUNNING}
    assert not (actions.done and (running or actions.start or actions.restart))
    assert actions.done or actions.start or actions.restart or running
    assert set(actions.stop) <= running


def test_an_ephemeral_container_starts_when_its_target_runs_and_never_again() -> None:
    debugger = ContainerStatus("d", "ephemeral", target="m")
    assert next_actions((MAIN, debugger), "Never").start == ("m",)
    running = become(MAIN, RUNNING)
    assert next_actions((running, debugger), "Never").start == ("d",)
    assert next_actions((running, become(debugger, EXITED, 1)), "Always").restart == ()


def test_without_a_target_it_starts_at_once() -> None:
    assert next_actions((INIT, MAIN, ContainerStatus("d", "ephemeral")), "Never").start == ("i", "d")


def test_a_pod_does_not_wait_for_an_ephemeral_container() -> None:
    debugger = ContainerStatus("d", "ephemeral", RUNNING)
    ended = next_actions((become(MAIN, EXITED), debugger), "Never")
    assert (ended.done, ended.stop) == (False, ("d",))
    done = next_actions((become(MAIN, EXITED), become(debugger, EXITED, 3)), "Never")
    assert (done.done, done.exit_code) == (True, 0)


def test_a_restart_policy_of_its_own_counts_in_the_place_of_the_pods() -> None:
    ended = structs.replace(become(MAIN, EXITED), restart_policy="Always")
    assert next_actions((ended,), "Never").restart == ("m",)
    assert next_actions((structs.replace(ended, restart_policy="Never"),), "Always").done
    failed = structs.replace(become(INIT, EXITED, 3), restart_policy="OnFailure")
    assert next_actions((failed, MAIN), "Never").restart == ("i",)
    assert next_actions((structs.replace(failed, restart_policy="Never"), MAIN), "Always").exit_code == 3
