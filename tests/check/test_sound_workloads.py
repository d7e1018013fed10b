"""What is found about a workload that is known to be valid is what is found by looking at it in full."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest
from changed_workloads import Raw, changed, corpus, document, known_sources, sound
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.core import Namespace, ObjectMeta
from podward.check.judging import judge, judge_sound
from podward.check.policy_set import PolicySet
from podward.policy.pss.standard import Level, Standard, Version
from podward.schema.workload import PodSource

INDEX = 3
LABEL = "pod-security.kubernetes.io/"
NAMESPACES: dict[str, dict[str, str | None]] = {
    "payments": {"enforce": "baseline", "warn": "restricted", "audit": "restricted", "audit-version": "v1.20"},
    "shop": {"enforce": "privileged", "warn": "restricted", "warn-version": "v1.24"},
    "elsewhere": {"enforce": "restricted", "enforce-version": "v1.30"},
    "other": {"audit": "baseline"},
}
STANDARDS = (
    Standard(Level.RESTRICTED),
    Standard(Level.BASELINE),
    Standard(Level.PRIVILEGED),
    Standard(Level.RESTRICTED, Version(0)),
    Standard(Level.RESTRICTED, Version(22)),
    Standard(Level.RESTRICTED, Version(24)),
    Standard(Level.BASELINE, Version(18)),
    Standard(Level.BASELINE, Version(33)),
)


def policies(standard: Standard, default_namespace: str) -> PolicySet:
    """What workloads are held to where their namespace does not say."""
    labels = {name: {LABEL + key: value for key, value in said.items()} for name, said in NAMESPACES.items()}
    namespaces = {name: Namespace(ObjectMeta(name=name, labels=said)) for name, said in labels.items()}
    return PolicySet(namespaces, standard, None, default_namespace)


HELD = [policies(standard, namespace) for standard in STANDARDS for namespace in ("default", "elsewhere")]


Sources = tuple[tuple[PodSource, bool], ...] | None


def is_judged_alike(raw: Raw, *numbers: int) -> bool:
    """Whether all workloads of the document are known to be valid; of those that are, the claim is asserted."""
    return are_judged_alike(known_sources(document(raw)), *numbers)


def are_judged_alike(known: Sources, *numbers: int) -> bool:
    for source, valid in known or ():
        for number in numbers if valid else ():
            assert judge_sound(source, INDEX, HELD[number]) == judge(source, INDEX, HELD[number]).findings
    return known is not None and all(valid for _, valid in known)


@pytest.mark.proof
def test_whatever_is_known_to_be_valid_is_judged_alike() -> None:
    met = Counter[bool]()

    @settings(max_examples=examples(250, 2000), deadline=None)
    @given(seed=st.integers(0, 2**64), policy=st.integers(0, len(HELD) - 1))
    def whatever_is_changed(seed: int, policy: int) -> None:
        met[is_judged_alike(changed(seed), policy)] += 1

    whatever_is_changed()
    assert met[True] > met.total() / 5, "too few of these were known to be valid to prove anything"


@cache
def whole_corpus() -> list[Sources]:
    return [known_sources(document(raw)) for raw in (*corpus(), *sound())]


@pytest.mark.parametrize("number", range(len(HELD)))
def test_every_workload_of_the_corpus_is_judged_alike(number: int) -> None:
    met = Counter(are_judged_alike(known, number) for known in whole_corpus())
    assert met[True] > 2 * met[False]


@pytest.mark.proof
def test_an_item_of_a_list_is_judged_at_its_own_place() -> None:
    met = Counter[bool]()

    @settings(max_examples=examples(100, 300), deadline=None)
    @given(seeds=st.lists(st.integers(0, 2**64), min_size=1, max_size=3), policy=st.integers(0, len(HELD) - 1))
    def whatever_is_listed(seeds: list[int], policy: int) -> None:
        raw: Raw = {"apiVersion": "v1", "kind": "List", "items": [changed(seed) for seed in seeds]}
        met[is_judged_alike(raw, policy)] += 1

    whatever_is_listed()
    assert met[True] > met.total() / 25, "too few of these were known to be valid to prove anything"


# --- one case each ----------------------------------------------------------------------------------------------------

HOST = {"hostPath": {"path": "/"}}


def pod(container: dict[str, Any] | None = None, **spec: Any) -> Raw:  # noqa: ANN401
    """A Pod with one container."""
    containers = [{"name": "app", "image": "a:1", **(container or {})}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


def with_context(**fields: Any) -> Raw:  # noqa: ANN401
    return pod({"securityContext": fields}, securityContext={"seLinuxOptions": {"level": "s0"}, "runAsUser": 1000})


def replacing_claim() -> Raw:
    """A StatefulSet whose claim takes the place of a volume: those behind it move up."""
    spec = pod(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", **HOST}])["spec"]
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}} | {
        "spec": {"template": {"spec": spec}, "volumeClaimTemplates": [{"metadata": {"name": "a"}}]}
    }


def in_namespace(said: object, **template: Any) -> Raw:  # noqa: ANN401
    """A Deployment whose metadata say this of a namespace."""
    metadata = {"name": "d"} if said == "nothing" else {"name": "d", "namespace": said}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata} | {
        "spec": {"template": {"spec": pod()["spec"], **template}}
    }


CASES: dict[str, Raw] = {
    "capability of no kernel": with_context(capabilities={"add": ["%s", "%"]}),
    "type": with_context(seLinuxOptions={"type": "spc_t"}),
    "user": with_context(seLinuxOptions={"user": "system_u"}),
    "wiped level": pod(
        {"securityContext": {"seLinuxOptions": {}}}, securityContext={"seLinuxOptions": {"level": "s0:c1"}}
    ),
    "localhost": pod(
        {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "a"}}},
        securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "b"}},
    ),
    "sysctl": pod(securityContext={"sysctls": [{"name": "kernel.none", "value": ""}]}),
    "volumes": pod(volumes=[{"name": "b", **HOST}, {"name": "a", "emptyDir": {}}, {"name": "c", **HOST}]),
    "hosts": pod(
        {
            "livenessProbe": {"httpGet": {"port": 1, "host": "a"}},
            "readinessProbe": {"tcpSocket": {"port": 1, "host": "b"}},
            "startupProbe": {"tcpSocket": {"port": 1, "host": "c"}},
            "lifecycle": {
                "preStop": {"tcpSocket": {"port": 1, "host": "d"}},
                "postStart": {"httpGet": {"port": 1, "host": "e"}},
            },
        }
    ),
    "empty hosts": pod({"livenessProbe": {"httpGet": {"port": 1, "host": ""}}, "lifecycle": {}}),
    "claim in place of a volume": replacing_claim(),
    "quantity that the kubelet can't read": pod({"resources": {"limits": {"memory": "1e2000"}}}),
    "long quantity": pod({"resources": {"requests": {"cpu": "0." + "0" * 1100}}}),
    "large quantity": pod({"resources": {"limits": {"memory": "999999999999999E"}}}),
    "node's ports": pod({"ports": [{"containerPort": 1}, {"containerPort": 2, "hostPort": 2}]}, hostNetwork=True),
    "own users": pod({"securityContext": {"procMount": "Unmasked", "runAsUser": 0}}, hostUsers=False),
    "nfs": pod(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "nfs": {"server": "a", "path": "/"}}]),
    "wiped profile": with_context(seLinuxOptions={}, appArmorProfile={"type": "Unconfined"}),
    "free low ports": pod(
        {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}, "runAsUser": 5}},
        securityContext={"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}], "fsGroup": 1},
    ),
    "no namespace": in_namespace("nothing"),
    "namespace of null": in_namespace(None),
    "empty namespace": in_namespace(""),
    "namespace": in_namespace("default"),
    "template's namespace": in_namespace("nothing", metadata={"namespace": "payments"}),
    "template's namespace of null": in_namespace("nothing", metadata={"namespace": None}),
    "template's empty namespace": in_namespace("nothing", metadata={"namespace": ""}),
}


@pytest.mark.parametrize("name", CASES)
def test_this_is_judged_alike(name: str) -> None:
    is_judged_alike(CASES[name], *range(len(HELD)))


@pytest.mark.parametrize("action", ["httpGet", "tcpSocket"])
@pytest.mark.parametrize("name", ["livenessProbe", "readinessProbe", "startupProbe", "preStop", "postStart"])
def test_each_host_that_is_asked_is_found(name: str, action: str) -> None:
    handler = {name: {action: {"port": 1, "host": "example.com"}}}
    raw = pod(handler if "Probe" in name else {"lifecycle": handler})
    assert is_judged_alike(raw, *range(len(HELD)))
    ((source, _),) = known_sources(document(raw)) or ()
    assert "pss/hostProbesAndHostLifecycle" in [finding.rule for finding in judge_sound(source, INDEX, HELD[0])]
