"""The verdict on Pods and workloads: refusals, warnings, audit annotations, exemptions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.core import Pod
from podward.policy.pss.labels import PREFIX, Configuration, Exemptions, policy_of
from podward.policy.pss.verdict import IGNORED_SUBRESOURCES, Request, Verdict, admit_pod, admit_workload, significant

MakePod = Callable[..., Pod]
OPEN = Configuration()
EXEMPT = Configuration(
    exemptions=Exemptions(
        usernames=frozenset(("system:admin", "")),
        namespaces=frozenset(("kube-system", "")),
        runtime_classes=frozenset(("gvisor", "")),
    )
)
HOST_PID = "host namespaces (hostPID=true)"


def request(subresource: str = "", username: str = "alice", namespace: str = "team", **modes: str) -> Request:
    labels = {PREFIX + mode.replace("_", "-"): text for mode, text in modes.items()}
    return Request(namespace=namespace, policy=policy_of(labels), username=username, subresource=subresource)


def test_a_pod_that_violates_what_is_enforced_is_refused_in_the_servers_words(pod: MakePod) -> None:
    verdict = admit_pod(pod(hostPID=True), request(enforce="baseline", enforce_version="v1.30"), OPEN)
    assert not verdict.allowed
    assert verdict.refusal is not None
    assert verdict.refusal.reason == f'pods "p" is forbidden: violates PodSecurity "baseline:v1.30": {HOST_PID}'
    assert verdict.warnings == ()
    assert dict(verdict.audit) == {"enforce-policy": "baseline:v1.30"}
    assert [result.check for result in verdict.enforced] == ["hostNamespaces"]


def test_audit_and_warn_only_speak(pod: MakePod) -> None:
    verdict = admit_pod(pod(hostPID=True), request(audit="baseline", warn="baseline", warn_version="v1.2"), OPEN)
    assert verdict.allowed
    assert verdict.warnings == (f'would violate PodSecurity "baseline:v1.2": {HOST_PID}',)
    assert dict(verdict.audit) == {
        "enforce-policy": "privileged:latest",
        "audit-violations": f'would violate PodSecurity "baseline:latest": {HOST_PID}',
    }


def test_a_refused_pod_gets_no_warning_but_is_audited(pod: MakePod) -> None:
    verdict = admit_pod(pod(hostPID=True), request(enforce="baseline", audit="baseline", warn="restricted"), OPEN)
    assert not verdict.allowed
    assert verdict.warnings == ()
    assert "audit-violations" in dict(verdict.audit)
    assert verdict.warned


def test_a_wholly_privileged_namespace_is_not_looked_at(pod: MakePod) -> None:
    verdict = admit_pod(pod(hostPID=True), request(enforce_version="v1.3"), OPEN)
    assert verdict == Verdict(audit=(("enforce-policy", "privileged:latest"),))


def test_labels_that_do_not_parse_enforce_restricted(pod: MakePod) -> None:
    verdict = admit_pod(pod(hostPID=True), request(enforce="strict"), OPEN)
    assert not verdict.allowed
    assert dict(verdict.audit) == {
        "error": (
            "Failed to parse policy: metadata.labels[pod-security.kubernetes.io/enforce]: "
            'Invalid value: "strict": must be one of privileged, baseline, restricted'
        ),
        "enforce-policy": "restricted:latest",
    }


def test_a_bad_version_alone_still_has_the_pod_looked_at(pod: MakePod) -> None:
    verdict = admit_pod(pod(hostPID=True), request(enforce_version="1"), OPEN)
    assert verdict.allowed
    assert "error" in dict(verdict.audit)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request(namespace="kube-system", username="system:admin", enforce="baseline"), "namespace"),
        (request(username="system:admin", enforce="baseline"), "user"),
    ],
)
def test_the_exempt_are_let_through(asked: Request, why: str, pod: MakePod) -> None:
    expected = Verdict(audit=(("exempt", why),))
    assert admit_pod(pod(hostPID=True), asked, EXEMPT) == expected
    assert admit_workload(pod(hostPID=True), asked, EXEMPT) == expected


def test_a_runtime_class_is_exempt_but_no_empty_name_is(pod: MakePod) -> None:
    sandboxed = pod(hostPID=True, runtimeClassName="gvisor")
    assert admit_pod(sandboxed, request(enforce="baseline"), EXEMPT) == Verdict(audit=(("exempt", "runtimeClass"),))
    nameless = request(namespace="", username="", enforce="baseline")
    assert not admit_pod(pod(hostPID=True, runtimeClassName=""), nameless, EXEMPT).allowed
    assert not admit_pod(pod(hostPID=True), nameless, EXEMPT).allowed


def test_requests_that_change_nothing_are_let_through_and_unknown_ones_are_not(pod: MakePod) -> None:
    assert {"exec", "status", "eviction"} < IGNORED_SUBRESOURCES
    for subresource in IGNORED_SUBRESOURCES:
        assert admit_pod(pod(hostPID=True), request(subresource, enforce="baseline"), OPEN) == Verdict()
    for subresource in ("ephemeralcontainers", "resize", "tomorrow"):
        assert not admit_pod(pod(hostPID=True), request(subresource, enforce="baseline"), OPEN).allowed


def test_an_update_is_looked_at_only_if_it_matters(pod: MakePod) -> None:
    old = pod(hostPID=True, containers=[{"name": "c", "image": "a"}])
    same = pod({"privileged": True}, hostPID=True, containers=[{"name": "c", "image": "a"}])
    newer = pod(hostPID=True, containers=[{"name": "c", "image": "b"}])
    asked = request(enforce="baseline")
    assert admit_pod(same, asked, OPEN, old) == Verdict()
    assert not admit_pod(newer, asked, OPEN, old).allowed


def test_what_matters_in_an_update(pod: MakePod) -> None:
    debugger = {"name": "debug", "image": "busybox"}
    old = pod(containers=[{"name": "c", "image": "a"}], ephemeralContainers=[debugger])
    assert not significant(old, old)
    assert significant(pod(containers=[], ephemeralContainers=[debugger]), old)
    assert significant(pod(containers=[{"name": "c", "image": "a"}], initContainers=[{"name": "i"}]), old)
    assert significant(pod(containers=[{"name": "c", "image": "a"}], ephemeralContainers=[{"name": "x"}]), old)
    other_image = {"name": "debug", "image": "b"}
    assert significant(pod(containers=[{"name": "c", "image": "a"}], ephemeralContainers=[other_image]), old)
    assert not significant(pod(containers=[{"name": "renamed", "image": "a"}]), old)


def test_of_two_ephemeral_containers_of_one_name_the_first_is_compared(pod: MakePod) -> None:
    first, second = {"name": "d", "image": "a"}, {"name": "d", "image": "b"}
    old = pod(ephemeralContainers=[first, second])
    assert not significant(pod(ephemeralContainers=[first]), old)
    assert significant(pod(ephemeralContainers=[second]), old)


def test_an_ephemeral_container_is_held_to_the_standard(pod: MakePod) -> None:
    old = pod({})
    debugging = pod({}, ephemeralContainers=[{"name": "d", "securityContext": {"privileged": True}}])
    verdict = admit_pod(debugging, request("ephemeralcontainers", enforce="baseline"), OPEN, old)
    assert verdict.refusal is not None
    assert 'container "d" must not set securityContext.privileged=true' in verdict.refusal.reason


def test_a_workload_is_never_refused(pod: MakePod) -> None:
    verdict = admit_workload(pod(hostPID=True), request(enforce="baseline", audit="baseline"), OPEN)
    assert verdict.allowed
    assert verdict.enforced == ()
    assert verdict.warnings == (f'would violate PodSecurity "baseline:latest": {HOST_PID}',)
    assert dict(verdict.audit) == {"audit-violations": f'would violate PodSecurity "baseline:latest": {HOST_PID}'}


def test_a_workload_is_not_looked_at_where_nobody_would_speak(pod: MakePod) -> None:
    assert admit_workload(pod(hostPID=True), request(enforce="baseline", warn="privileged"), OPEN) == Verdict()
    assert admit_workload(pod(hostPID=True), request("scale", warn="baseline"), OPEN) == Verdict()


def test_a_pod_that_passes_says_what_it_was_held_to(pod: MakePod) -> None:
    verdict = admit_pod(pod(), request(enforce="baseline"), OPEN)
    assert verdict == Verdict(audit=(("enforce-policy", "baseline:latest"),))
    assert verdict.allowed


def test_a_name_that_the_server_will_make_up_is_left_out(pod: MakePod) -> None:
    nameless = Pod(spec=pod(hostPID=True).spec)
    refusal = admit_pod(nameless, request(enforce="baseline"), OPEN).refusal
    assert refusal is not None
    assert refusal.reason.startswith("pods is forbidden: violates PodSecurity")
