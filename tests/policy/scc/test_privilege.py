"""privileged, allowPrivilegeEscalation and readOnlyRootFilesystem."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

Decide = Callable[..., Decision]
PLACE = "spec.containers[0].securityContext"
ESCALATION = "allowPrivilegeEscalation"
REFUSED = (
    "provider mine: .containers[0].allowPrivilegeEscalation: Invalid value: true: "
    "Allowing privilege escalation for containers is not allowed"
)


def run(decide: Decide, scc: JsonObject, context: JsonObject) -> Decision:
    return decide(scc, {"containers": [{"name": "c", "securityContext": context}]})


def printed(made: Decision) -> list[str]:
    return [one.printed for one in made.violations if isinstance(one, SccViolation)]


def test_privileged_containers(decide: Decide) -> None:
    for allowing in (False, None):
        made = run(decide, {"allowPrivilegedContainer": allowing}, {"privileged": True})
        text = "privileged: Invalid value: true: Privileged containers are not allowed"
        assert printed(made) == [f"provider mine: .containers[0].{text}"]
        assert str(made.violations[0].path) == f"{PLACE}.privileged"
        assert run(decide, {"allowPrivilegedContainer": allowing}, {"privileged": False}) == Decision()
    assert run(decide, {}, {"privileged": True}) == Decision()


@pytest.mark.parametrize(
    ("allowed", "default", "context", "given", "refused"),
    [
        (None, None, {}, None, False),
        (None, None, {ESCALATION: True}, None, False),
        (True, None, {}, None, False),
        (False, None, {}, False, False),
        (False, None, {"privileged": True}, False, False),
        (False, None, {ESCALATION: True}, None, True),
        (False, None, {ESCALATION: False}, None, False),
        (None, False, {}, False, False),
        (None, True, {}, True, False),
        (None, True, {ESCALATION: False}, None, False),
        (None, False, {"privileged": True}, None, False),
        (None, False, {"privileged": False}, False, False),
        (None, False, {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}, None, False),
        (None, False, {"capabilities": {"add": ["SYS_ADMIN"]}}, False, False),
        (False, True, {}, True, True),
        (False, True, {"privileged": True}, False, False),
        (False, True, {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}, False, False),
    ],
)
def test_privilege_escalation(
    decide: Decide, allowed: bool | None, default: bool | None, context: JsonObject, given: bool | None, refused: bool
) -> None:
    made = run(decide, {ESCALATION: allowed, "defaultAllowPrivilegeEscalation": default}, context)
    assert {str(one.path): one.value for one in made.assignments} == (
        {} if given is None else {f"{PLACE}.{ESCALATION}": given}
    )
    assert printed(made) == ([REFUSED] if refused else [])


def test_a_capability_that_the_scc_adds_counts_for_privilege_escalation(decide: Decide) -> None:
    scc: JsonObject = {"defaultAddCapabilities": ["CAP_SYS_ADMIN"], "defaultAllowPrivilegeEscalation": False}
    assert [str(one.path) for one in run(decide, scc, {}).assignments] == [f"{PLACE}.capabilities.add"]
    dropped = run(decide, scc, {"capabilities": {"drop": ["CAP_SYS_ADMIN"]}})
    assert [str(one.path) for one in dropped.assignments] == [f"{PLACE}.{ESCALATION}"]


@pytest.mark.parametrize(
    ("demanded", "asked", "given", "refused"),
    [
        (True, None, True, False),
        (True, True, None, False),
        (True, False, None, True),
        (False, None, None, False),
        (None, False, None, False),
    ],
)
def test_read_only_root_file_systems(
    decide: Decide, demanded: bool | None, asked: bool | None, given: bool | None, refused: bool
) -> None:
    made = run(decide, {"readOnlyRootFilesystem": demanded}, {"readOnlyRootFilesystem": asked})
    assert [one.value for one in made.assignments] == ([] if given is None else [given])
    text = "readOnlyRootFilesystem: Invalid value: false: ReadOnlyRootFilesystem must be set to true"
    assert printed(made) == ([f"provider mine: .containers[0].{text}"] if refused else [])
