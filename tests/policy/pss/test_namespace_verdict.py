"""The verdict on a namespace's labels."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from podward.api.core import ObjectMeta, Pod
from podward.policy.pss.labels import PREFIX, Configuration, Exemptions, Policy
from podward.policy.pss.namespace_verdict import admit_namespace
from podward.policy.pss.standard import Level, Standard
from podward.policy.pss.verdict import Verdict

MakePod = Callable[..., Pod]
OPEN = Configuration()
EXEMPT = Configuration(
    exemptions=Exemptions(namespaces=frozenset(("kube-system",)), runtime_classes=frozenset(("gvisor",)))
)


def labels(**modes: str) -> dict[str, str | None]:
    return {PREFIX + mode.replace("_", "-"): text for mode, text in modes.items()}


def named(pod: Pod, name: str) -> Pod:
    return msgspec.structs.replace(pod, metadata=ObjectMeta(name=name))


def test_bad_labels_refuse_a_new_namespace() -> None:
    refusal = admit_namespace("team", labels(enforce="x"), OPEN).refusal
    assert refusal is not None
    assert refusal.reason == (
        'Namespace "team" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: '
        'Invalid value: "x": must be one of privileged, baseline, restricted'
    )
    assert admit_namespace("team", labels(enforce="baseline"), OPEN) == Verdict()


def test_bad_labels_that_were_there_before_stay() -> None:
    bad = labels(enforce="x")
    assert admit_namespace("team", bad | {"a": "b"}, OPEN, bad).allowed
    assert not admit_namespace("team", bad, OPEN, {}).allowed
    assert not admit_namespace("team", labels(enforce="y"), OPEN, bad).allowed


def test_pods_that_are_there_are_warned_about_and_grouped(pod: MakePod) -> None:
    host, privileged = pod(hostPID=True), pod({"privileged": True})
    pods = [named(host, "b"), named(host, "a"), named(privileged, "z"), named(pod({}), "ok"), named(host, "c")]
    assert admit_namespace("team", labels(enforce="baseline"), OPEN, {}, pods).warnings == (
        'existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 2 other pods): host namespaces",
        "z: privileged",
    )
    two = [named(host, "b"), named(host, "a")]
    assert admit_namespace("team", labels(enforce="baseline"), OPEN, {}, two).warnings[1:] == (
        "a (and 1 other pod): host namespaces",
    )


def test_pods_are_not_looked_at_where_nothing_gets_stricter(pod: MakePod) -> None:
    pods = [pod(hostPID=True)]
    baseline, restricted = labels(enforce="baseline"), labels(enforce="restricted")
    for new, old in ((baseline, baseline), (baseline, restricted), (labels(enforce="privileged"), baseline)):
        assert admit_namespace("team", new, OPEN, old, pods) == Verdict()
    assert admit_namespace("team", baseline | labels(enforce_version="v1.3"), OPEN, restricted, pods).warnings


def test_pods_of_an_exempt_runtime_class_are_left_out(pod: MakePod) -> None:
    pods = [pod(hostPID=True, runtimeClassName="gvisor")]
    assert admit_namespace("team", labels(enforce="baseline"), EXEMPT, {}, pods) == Verdict()


def test_an_exempt_namespace_is_told_that_its_labels_do_nothing() -> None:
    said = labels(enforce="baseline", warn="restricted", warn_version="v1.30", audit="privileged")
    warning = (
        'namespace "kube-system" is exempt from Pod Security, and the policy '
        "(enforce=baseline:latest, warn=restricted:v1.30) will be ignored"
    )
    assert admit_namespace("kube-system", said, EXEMPT).warnings == (warning,)
    assert admit_namespace("kube-system", said, EXEMPT, {}).warnings == (warning,)
    assert admit_namespace("kube-system", labels(enforce="privileged"), EXEMPT) == Verdict()


def test_an_exempt_namespace_that_says_what_the_cluster_says_is_told_nothing() -> None:
    baseline = Standard(Level.BASELINE)
    default = Configuration(Policy(baseline, baseline, baseline), EXEMPT.exemptions)
    assert admit_namespace("kube-system", labels(enforce="baseline"), default) == Verdict()
    assert admit_namespace("kube-system", {}, default) == Verdict()
