"""Which run of a container has the log that is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from podward.policy.kubelet.container_logs import NoLog, run_with_log

_RUNNING: dict[str, Any] = {"running": {}}
_ENDED = {"terminated": {"containerID": "cri-o://ended"}}
_WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


@pytest.mark.parametrize(
    ("status", "previous", "found"),
    [
        ({"state": _RUNNING, "containerID": "cri-o://runs"}, False, "runs"),
        ({"state": _RUNNING, "containerID": "cri-o://runs", "lastState": _ENDED}, True, "ended"),
        (
            {"state": _RUNNING, "containerID": "x://runs"},
            True,
            'previous terminated container "c" in pod "p" not found',
        ),
        ({"state": _ENDED}, False, "ended"),
        ({"state": {"terminated": {}}, "lastState": _ENDED}, False, "ended"),
        ({"state": {"terminated": {}}}, False, 'container "c" in pod "p" is terminated'),
        ({"state": _WAITING, "lastState": _ENDED}, False, "ended"),
        ({"state": _WAITING}, False, 'container "c" in pod "p" is waiting to start: CrashLoopBackOff'),
        (
            {"state": {"waiting": {"reason": "ErrImagePull"}}},
            False,
            'container "c" in pod "p" is waiting to start: image can\'t be pulled',
        ),
        ({}, False, 'container "c" in pod "p" is waiting to start - no logs yet'),
    ],
)
def test_the_run_is_found_or_the_kubelets_words_are_told(status: dict[str, Any], previous: bool, found: str) -> None:  # noqa: FBT001 - a row
    pod: dict[str, Any] = {"metadata": {"name": "p"}, "status": {"initContainerStatuses": [{"name": "c", **status}]}}
    told = run_with_log(pod, "c", previous=previous)
    assert (told.why if isinstance(told, NoLog) else told) == found


def test_a_container_of_which_nothing_is_known_has_no_log() -> None:
    assert run_with_log({"metadata": {"name": "p"}}, "c", previous=False) == NoLog(
        'container "c" in pod "p" is not available'
    )
