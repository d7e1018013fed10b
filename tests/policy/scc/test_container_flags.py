"""privileged, allowPrivilegeEscalation and readOnlyRootFilesystem of containers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

Decide = Callable[..., Decision]
PLACE = "spec.containers[0].securityContext"
ESCALATION, DEFAULT = "allowPrivilegeEscalation", "defaultAllowPrivilegeEscalation"
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
    ("scc", "context", "given"),
    [
        ({}, {}, {}),
        ({}, {ESCALATION: True}, {}),
        ({ESCALATION: True}, {}, {}),
        ({ESCALATION: False}, {}, {ESCALATION: False}),
        ({ESCALATION: False}, {"privileged": True}, {ESCALATION: False}),
        ({ESCALATION: False}, {ESCALATION: False}, {}),
        ({DEFAULT: False}, {}, {ESCALATION: False}),
        ({DEFAULT: True}, {}, {ESCALATION: True}),
        ({DEFAULT: True}, {ESCALATION: False}, {}),
        ({DEFAULT: False}, {"privileged": True}, {}),
        ({DEFAULT: False}, {"privileged": False}, {ESCALATION: False}),
        ({DEFAULT: False}, {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}, {}),
        ({DEFAULT: False}, {"capabilities": {"add": ["SYS_ADMIN"]}}, {ESCALATION: False}),
        ({ESCALATION: False, DEFAULT: True}, {"privileged": True}, {ESCALATION: False}),
        ({ESCALATION: False, DEFAULT: True}, {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}, {ESCALATION: False}),
    ],
)
def test_privilege_escalation_that_is_allowed_or_not_asked_for(
    decide: Decide, scc: JsonObject, context: JsonObject, given: JsonObject
) -> None:
    made = run(decide, scc, context)
    assert {str(one.path): one.value for one in made.assignments} == {
        f"{PLACE}.{name}": value for name, value in given.items()
    }
    assert not made.violations


def test_privilege_escalation_that_is_refused(decide: Decide) -> None:
    assert printed(run(decide, {ESCALATION: False}, {ESCALATION: True})) == [REFUSED]
    given_and_refused = run(decide, {ESCALATION: False, DEFAULT: True}, {})
    assert [one.value for one in given_and_refused.assignments] == [True]
    assert printed(given_and_refused) == [REFUSED]


def test_a_capability_that_the_scc_adds_counts_for_privilege_escalation(decide: Decide) -> None:
    scc: JsonObject = {"defaultAddCapabilities": ["CAP_SYS_ADMIN"], DEFAULT: False}
    assert [str(one.path) for one in run(decide, scc, {}).assignments] == [f"{PLACE}.capabilities.add"]
    dropped = run(decide, scc, {"capabilities": {"drop": ["CAP_SYS_ADMIN"]}})
    assert [str(one.path) for one in dropped.assignments] == [f"{PLACE}.{ESCALATION}"]


def test_read_only_root_file_systems(decide: Decide) -> None:
    demanding: JsonObject = {"readOnlyRootFilesystem": True}
    (given,) = run(decide, demanding, {}).assignments
    assert (str(given.path), given.value) == (f"{PLACE}.readOnlyRootFilesystem", True)
    assert run(decide, demanding, {"readOnlyRootFilesystem": True}) == Decision()
    text = "readOnlyRootFilesystem: Invalid value: false: ReadOnlyRootFilesystem must be set to true"
    refused = run(decide, demanding, {"readOnlyRootFilesystem": False})
    assert printed(refused) == [f"provider mine: .containers[0].{text}"]
    assert not refused.assignments


@pytest.mark.parametrize("scc", [{"readOnlyRootFilesystem": False}, {}])
def test_root_file_systems_do_not_matter_elsewhere(decide: Decide, scc: JsonObject) -> None:
    for context in ({}, {"readOnlyRootFilesystem": False}):
        assert run(decide, scc, dict(context)) == Decision()
