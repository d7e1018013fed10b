"""An SCC made ready: what it takes from the namespace, why it can't be made, the order of its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision, Origin, Source
from podward.documents.patching import applied
from podward.path import Key, path
from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.namespace import MCS, UID_RANGE
from podward.policy.scc.provider import Provider
from podward.policy.scc.violation import SccViolation, rule_of
from podward.schema.scc.defaults import defaulted
from podward.schema.scc.reading import scc_view
from podward.schema.view import pod_view

Provide: TypeAlias = Callable[..., "Provider | str"]
Decide: TypeAlias = Callable[..., Decision]
Cases: TypeAlias = Callable[[int, int], Iterator[tuple[Provider, JsonObject]]]


def printed(decision: Decision) -> list[str]:
    return [violation.printed for violation in decision.violations if isinstance(violation, SccViolation)]


def places(decision: Decision) -> dict[str, object]:
    return {str(assignment.path): assignment.value for assignment in decision.assignments}


def default_scc(name: str) -> JsonObject:
    found = (defaulted(raw) for raw in default_sccs())
    return next(raw for raw in found if scc_view(raw).metadata.name == name)


@pytest.mark.parametrize(
    ("scc", "why"),
    [
        ({"runAsUser": {}}, "Unrecognized RunAsUser strategy type "),
        ({"runAsUser": {"type": "MustRunAs"}}, "MustRunAs requires a UID"),
        ({"runAsUser": {"type": "MustRunAsRange", "uidRangeMax": 5}}, "MustRunAsRange requires a UIDRangeMin"),
        ({"runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 5}}, "MustRunAsRange requires a UIDRangeMax"),
        ({"seLinuxContext": {"type": "x"}, "fsGroup": {}}, "Unrecognized SELinuxContext strategy type x"),
        ({"fsGroup": {"type": "MayRunAs"}}, "Unrecognized FSGroup strategy type MayRunAs"),
        ({"supplementalGroups": {"type": ""}}, "Unrecognized SupplementalGroups strategy type "),
    ],
)
def test_a_strategy_that_cannot_be_made(provide: Provide, scc: JsonObject, why: str) -> None:
    assert provide(scc) == f"error creating provider for SCC mine in namespace team-a: {why}"


@pytest.mark.parametrize(
    ("scc", "what"),
    [
        ({"runAsUser": {"type": "MustRunAsRange"}, "seLinuxContext": {"type": "bogus"}}, "uid"),
        ({"fsGroup": {"type": "MustRunAs"}}, "group"),
        ({"supplementalGroups": {"type": "MustRunAs", "ranges": []}}, "group"),
    ],
)
def test_a_malformed_annotation_that_is_needed(provide: Provide, scc: JsonObject, what: str) -> None:
    assert provide(scc, uids="5") == (
        f"unable to find pre-allocated {what} annotation for namespace team-a while trying to configure SCC mine: "
        "unexpected EOF"
    )


def test_an_empty_level_that_is_needed(provide: Provide) -> None:
    why = provide({"seLinuxContext": {"type": "MustRunAs", "seLinuxOptions": {"type": "t"}}}, level="")
    assert why == (
        "unable to find pre-allocated mcs annotation for namespace team-a while trying to configure SCC mine: "
        f"found annotation {MCS} but it was empty"
    )


def test_malformed_annotations_that_are_not_needed(provide: Provide) -> None:
    scc = {
        "runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 1, "uidRangeMax": 2},
        "seLinuxContext": {"type": "MustRunAs", "seLinuxOptions": {"level": "s0"}},
        "fsGroup": {"type": "MustRunAs", "ranges": [{"min": 1, "max": 2}]},
    }
    assert isinstance(provide(scc, uids="x", level="", groups=""), Provider)


def test_restricted_v2_gives_a_pod_all_that_it_needs(decide: Decide) -> None:
    spec = {"containers": [{"name": "c"}]}
    made = decide(default_scc("restricted-v2"), spec, uids="1000230000/10000", level="s0:c15,c10")
    assert not made.violations
    assert places(made) == {
        "spec.securityContext.fsGroup": 1000230000,
        "spec.securityContext.seLinuxOptions": {"level": "s0:c15,c10"},
        "spec.securityContext.seccompProfile": {"type": "RuntimeDefault"},
        "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]": "runtime/default",
        "spec.containers[0].securityContext.runAsUser": 1000230000,
        "spec.containers[0].securityContext.runAsNonRoot": True,
        "spec.containers[0].securityContext.capabilities.drop": ("ALL",),
        "spec.containers[0].securityContext.allowPrivilegeEscalation": False,
    }
    sources = {str(assignment.path): assignment.source for assignment in made.assignments}
    uid_range = path("metadata", "annotations", Key(UID_RANGE))
    assert sources["spec.containers[0].securityContext.runAsUser"] == Source(
        Origin.POLICY, "namespace team-a", uid_range
    )
    drop = sources["spec.containers[0].securityContext.capabilities.drop"]
    assert drop == Source(Origin.POLICY, "scc restricted-v2", path("requiredDropCapabilities"))


def test_the_order_of_errors(decide: Decide) -> None:
    scc = {
        "runAsUser": {"type": "MustRunAs", "uid": 7},
        "seLinuxContext": {"type": "MustRunAs"},
        "fsGroup": {"type": "MustRunAs"},
        "supplementalGroups": {"type": "MustRunAs"},
        "seccompProfiles": None,
        "volumes": ["flexVolume"],
        "allowedFlexVolumes": [{"driver": "a"}],
        "allowedCapabilities": None,
        "allowedUnsafeSysctls": None,
        "allowHostNetwork": False,
        "allowHostPID": False,
        "allowHostIPC": False,
        "allowHostPorts": False,
        "allowPrivilegedContainer": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "userNamespaceLevel": "RequirePodLevel",
    }
    container = {
        "name": "c",
        "ports": [{"hostPort": 80}],
        "securityContext": {
            "privileged": True,
            "allowPrivilegeEscalation": True,
            "readOnlyRootFilesystem": False,
            "capabilities": {"add": ["X"]},
        },
    }
    spec = {
        "hostNetwork": True,
        "hostPID": True,
        "hostIPC": True,
        "volumes": [{"name": "a", "flexVolume": {"driver": "b"}}, {"name": "b", "nfs": {}}],
        "containers": [container],
        "initContainers": [{"name": "i"}],
        "ephemeralContainers": [{"name": "e"}],
        "securityContext": {
            "runAsUser": 1,
            "fsGroup": 5,
            "supplementalGroups": [6],
            "seLinuxOptions": {"level": "s0"},
            "seccompProfile": {"type": "Unconfined"},
            "sysctls": [{"name": "a", "value": "1"}],
        },
    }
    made = decide(scc, spec)
    rules = [rule_of(violation) for violation in made.violations]
    of_pod = [
        "fsGroup", "supplementalGroups", "seccomp", "seLinux", "hostNetwork", "hostPID", "hostIPC", "hostUsers",
        "sysctls", "volumes", "flexVolumes",
    ]  # fmt: skip
    of_others = ["runAsUser", "seLinux", "seccomp", "hostNetwork", "hostPorts", "hostPID", "hostIPC"]
    of_container = [
        "runAsUser", "seLinux", "seccomp", "privileged", "capabilities", "hostNetwork", "hostPorts", "hostPID",
        "hostIPC", "readOnlyRootFilesystem", "allowPrivilegeEscalation",
    ]  # fmt: skip
    assert rules == of_pod + of_others + of_container + of_others
    texts = printed(made)
    containers = [text.split(": ")[1].split("[")[0] for text in texts if text.startswith("provider mine: .")]
    assert list(dict.fromkeys(containers)) == [
        ".spec.securityContext.fsGroup", ".spec.securityContext.supplementalGroups",
        ".spec.securityContext.seLinuxOptions.level", ".spec.hostNetwork", ".spec.hostPID", ".spec.hostIPC",
        ".spec.hostUsers", ".spec.volumes", ".initContainers", ".containers", ".ephemeralContainers",
    ]  # fmt: skip


def test_the_printed_error_is_a_path_and_the_reason(random_cases: Cases) -> None:
    seen = set()
    for provider, raw in random_cases(1, 900):
        for violation in provider.decide(pod_view(raw)).violations:
            assert isinstance(violation, SccViolation)
            assert violation.printed.endswith(f": {violation.reason}")
            assert violation.source.origin is Origin.POLICY
            seen.add(violation.rule)
    assert len(seen) == 17  # every rule


def test_deciding_again_on_what_was_decided_sets_nothing_and_refuses_the_same(random_cases: Cases) -> None:
    refused = 0
    for provider, raw in random_cases(2, 600):
        made = provider.decide(pod_view(raw))
        again = provider.decide(pod_view(applied(raw, made)))
        assert again.assignments == ()
        assert printed(again) == printed(made)
        refused += bool(made.violations)
    assert 0 < refused < 600


def test_a_decision_is_the_same_whatever_was_decided_before(random_cases: Cases) -> None:
    """What a provider keeps for the next Pod must not leak into it."""
    cases = list(random_cases(3, 60))
    first = [provider.decide(pod_view(raw)) for provider, raw in cases]
    for provider, _ in cases:
        for _, other in cases:
            provider.decide(pod_view(other))
    assert [provider.decide(pod_view(raw)) for provider, raw in cases] == first
