"""The admission stage: the API server's order, one Decision of what is stored or the refusal, and never by default."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples

import podward.stages.admission
from podward.access.rbac import Rbac
from podward.api.admission import NAMESPACES, AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta
from podward.api.scc import SecurityContextConstraints
from podward.cli.policies import gather
from podward.decision import Origin
from podward.path import Key, path
from podward.render.patch import apply, json_patch
from podward.stages.admission.cluster import NOBODY, AdmissionFacts, InMemoryCluster
from podward.stages.admission.order import (
    PLUGINS,
    SCC,
    STEPS,
    Admitted,
    by_registry,
    completed,
    decide,
    everything,
    without,
)
from podward.stages.admission.steps import Phase

Json = dict[str, Any]
RANGES = {
    "openshift.io/sa.scc.uid-range": "1000230000/10000",
    "openshift.io/sa.scc.supplemental-groups": "1000230000/10000",
    "openshift.io/sa.scc.mcs": "s0:c15,c10",
}
ALICE = User("alice", ("system:authenticated",))
ADMIN = User("root", ("system:masters", "system:authenticated"))
SHIPPED = gather()
SCCS = tuple(source.view for source in SHIPPED.sccs)


def namespace(annotations: dict[str, str], labels: dict[str, str]) -> Namespace:
    return Namespace(ObjectMeta(name="monitor", labels=dict(labels), annotations=dict(annotations)))


def openshift(labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> InMemoryCluster:
    there = namespace(RANGES if annotations is None else annotations, labels or {})
    return InMemoryCluster(SCCS, SHIPPED.rbac, {"monitor": there})


def kubernetes(**labels: str) -> InMemoryCluster:
    prefixed = {f"pod-security.kubernetes.io/{mode}": level for mode, level in labels.items()}
    return InMemoryCluster(None, SHIPPED.rbac, {"monitor": namespace({}, prefixed)})


def pod(spec: Json | None = None, container: Json | None = None, **metadata: Any) -> Json:  # noqa: ANN401  # JSON
    return {
        "metadata": {"name": "p", "namespace": "monitor", **metadata},
        "spec": {"containers": [{"name": "c", "image": "busybox:root", **(container or {})}], **(spec or {})},
    }


def admitted(raw: Json, cluster: InMemoryCluster | None = None, user: User = ALICE, name: str = "") -> Admitted:
    request = AdmissionRequest(Operation.CREATE, raw, user, "monitor")
    return decide(AdmissionFacts(request, cluster or openshift(), generated_name=name))


def sentence(found: Admitted) -> str:
    assert found.refused
    assert found.decision.assignments == ()
    return found.decision.violations[0].reason


def test_an_ordinary_pod_gets_what_restricted_v2_and_its_namespace_give() -> None:
    found = admitted(pod())
    assert not found.refused
    stored: Any = found.stored
    assert stored["metadata"]["annotations"]["openshift.io/scc"] == "restricted-v2"
    assert stored["spec"]["containers"][0]["securityContext"]["runAsUser"] == 1000230000
    assert stored["spec"]["securityContext"]["fsGroup"] == 1000230000
    assert stored["spec"]["securityContext"]["seLinuxOptions"] == {"level": "s0:c15,c10"}
    level = found.decision.assignment(path("spec", "securityContext", "seLinuxOptions", "level"))
    assert level is not None
    assert level.source.origin is Origin.POLICY
    assert level.source.path == path("metadata", "annotations", Key("openshift.io/sa.scc.mcs"))


def test_the_view_and_the_document_say_the_same() -> None:
    found = admitted(pod())
    assert found.pod.metadata.annotations is not None
    assert found.pod.metadata.annotations["openshift.io/scc"] == "restricted-v2"
    assert found.stored == apply(pod(), found.decision)


def test_a_pod_without_service_account_runs_as_default_and_both_names_are_written() -> None:
    spec: Any = admitted(pod()).stored["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    spec = admitted(pod({"serviceAccount": "own"})).stored["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("own", "own")


def test_the_namespace_is_the_requests() -> None:
    raw = pod()
    del raw["metadata"]["namespace"]
    assert admitted(raw).pod.metadata.namespace == "monitor"


def test_the_mutating_pass_knows_a_pod_by_its_generate_name_and_the_stored_one_has_a_name() -> None:
    raw = pod({"hostNetwork": True}, name=None, generateName="web-")
    assert sentence(admitted(raw, name="web-x")).startswith('pods "web-" is forbidden: unable to validate')
    stored: Any = admitted(pod(name=None, generateName="web-"), name="web-x").stored
    assert stored["metadata"]["name"] == "web-x"
    assert stored["metadata"]["generateName"] == "web-"


def test_a_refusal_lists_every_provider_and_is_one_sentence() -> None:
    found = admitted(pod(container={"securityContext": {"runAsUser": 1000}}))
    said = sentence(found)
    assert 'provider "anyuid": Forbidden: not usable by user or serviceaccount, ' in said
    wrong = "runAsUser: Invalid value: 1000: must be in the ranges: [1000230000, 1000239999]"
    assert f"provider restricted-v2: .containers[0].{wrong}" in said
    assert len(found.decision.violations) == 1
    assert not found.invalid


def test_who_may_use_more_gets_more() -> None:
    stored: Any = admitted(pod(container={"securityContext": {"runAsUser": 1000}}), user=ADMIN).stored
    assert stored["metadata"]["annotations"]["openshift.io/scc"] == "anyuid"


def test_validation_comes_between_the_passes_and_names_each_field() -> None:
    found = admitted(pod(container={"image": "", "name": "Upper"}))
    assert found.invalid
    places = [str(violation.path) for violation in found.decision.violations]
    assert places == ["spec.containers[0].name", "spec.containers[0].image"]
    assert found.decision.assignments == ()
    assert found.selection is not None
    assert found.verdict is None


def test_the_validating_pass_looks_at_what_the_mutating_one_made() -> None:
    found = admitted(pod())
    assert found.mutating is not None
    assert found.selection is not None
    assert [each.name for each in found.mutating.candidates] == ["anyuid", "restricted-v2"]
    assert [each.name for each in found.selection.candidates] == ["restricted-v2"]  # the annotated one is tried first
    assert found.selection.decision.assignments == ()


def test_pod_security_judges_what_scc_admission_made() -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert not admitted(pod(), openshift(labels)).refused
    said = sentence(admitted(pod(), kubernetes(enforce="restricted")))
    assert said.startswith('pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation')


def test_a_warning_goes_with_what_is_stored() -> None:
    found = admitted(pod(), kubernetes(warn="restricted"))
    assert not found.refused
    assert [warning.split(":")[0] for warning in found.warnings] == ['would violate PodSecurity "restricted']


def test_plain_kubernetes_chooses_no_scc() -> None:
    found = admitted(pod(), kubernetes())
    assert not found.refused
    assert found.selection is None
    assert "annotations" not in msgspec.to_builtins(found.stored["metadata"])


@pytest.mark.parametrize("sccs", [(), SCCS[:1]])
def test_without_all_standard_policies_nobody_is_let_in(sccs: tuple[SecurityContextConstraints, ...]) -> None:
    cluster = InMemoryCluster(sccs, SHIPPED.rbac, {"monitor": namespace(RANGES, {})})
    for user in (ALICE, ADMIN):
        assert admitted(pod(), cluster, user).refused


def test_without_any_rights_nobody_is_let_in() -> None:
    there = {"monitor": namespace(RANGES, {})}
    mute = tuple(msgspec.structs.replace(source.view, users=None, groups=None) for source in SHIPPED.sccs)
    said = sentence(admitted(pod(), InMemoryCluster(mute, Rbac((), ()), there)))
    assert said.count("not usable by user or serviceaccount") >= len(mute)


def test_a_namespace_that_is_not_there_refuses_in_both_kinds_of_cluster() -> None:
    for sccs in (SCCS, None):
        found = admitted(pod(), InMemoryCluster(sccs, SHIPPED.rbac, {}))
        assert sentence(found).startswith('pods "p" is forbidden: ')


def test_a_namespace_without_ranges_refuses() -> None:
    said = sentence(admitted(pod(), openshift(annotations={})))
    assert said.endswith('error fetching namespace "monitor": unable to find annotation openshift.io/sa.scc.uid-range')


def test_unknown_fields_survive() -> None:
    odd = {"x": [1.50, None, {"é": "\u2028"}], "n": 2**70}
    raw = pod({"newField": odd}, {"another": odd}, labels={"a": "b"})
    stored: Any = admitted(raw).stored
    assert stored["spec"]["newField"] == odd
    assert stored["spec"]["containers"][0]["another"] == odd


# --- the table ----------------------------------------------------------------------------------------------------


def test_the_steps_stand_in_the_api_servers_order() -> None:
    assert [(step.name, step.phase.value) for step in STEPS] == [
        ("Defaulting", "registry"),
        ("ServiceAccount", "mutating"),
        ("SecurityContextConstraint", "mutating"),
        ("PrepareForCreate", "registry"),
        ("PrepareForUpdate", "registry"),
        ("Validation", "registry"),
        ("SecurityContextConstraint", "validating"),
        ("PodSecurity", "validating"),
        ("CSIInlineVolumeSecurity", "validating"),
    ]


def test_no_plugin_mutates_after_one_that_validates() -> None:
    phases = [step.phase for step in PLUGINS]
    assert phases == sorted(phases, key=[Phase.MUTATING, Phase.VALIDATING].index)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, {step.name for step in STEPS if step.name != "PrepareForUpdate"}),
        ({"subresource": "binding"}, {"Validation"}),
        ({"subresource": "eviction"}, {"Validation"}),
        ({"operation": Operation.UPDATE}, {"Defaulting", SCC, "Validation", "PodSecurity"}),
        (
            {"operation": Operation.UPDATE, "subresource": "ephemeralcontainers"},
            {"Defaulting", SCC, "PrepareForUpdate", "Validation", "PodSecurity"},
        ),
        ({"operation": Operation.DELETE}, set()),
        ({"operation": Operation.CONNECT, "subresource": "exec"}, set()),
        ({"resource": GroupResource("apps", "deployments")}, {"Validation", "PodSecurity"}),
        ({"resource": GroupResource("apps", "pods")}, {"Validation"}),
        ({"resource": NAMESPACES}, {"Validation", "PodSecurity"}),
        ({"resource": GroupResource("", "secrets")}, {"Validation"}),
    ],
)
def test_which_steps_look_at_which_requests(changes: dict[str, Any], names: set[str]) -> None:
    request = msgspec.structs.replace(AdmissionRequest(Operation.CREATE, pod(), ALICE, "monitor"), **changes)
    assert {step.name for step in STEPS if step.handles(request)} == names


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": Operation.UPDATE, "old_object": pod()},
        {"resource": GroupResource("apps", "deployments"), "kind": "Deployment"},
        {"subresource": "binding", "kind": "Binding"},
    ],
)
def test_what_cannot_be_validated_is_refused(changes: dict[str, Any]) -> None:
    request = msgspec.structs.replace(AdmissionRequest(Operation.CREATE, pod(), ADMIN, "monitor"), **changes)
    for asked in (decide, everything):
        assert sentence(asked(AdmissionFacts(request, kubernetes()))).endswith("cannot be validated here")
        assert not asked(AdmissionFacts(request, kubernetes()), PLUGINS).refused


def test_a_plugin_can_be_turned_off() -> None:
    facts = AdmissionFacts(AdmissionRequest(Operation.CREATE, pod(), ALICE, "monitor"), openshift())
    assert decide(facts, without(SCC)).selection is None
    spec: Any = decide(facts, without("ServiceAccount")).stored["spec"]
    assert "serviceAccountName" not in spec
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    refusing = AdmissionFacts(facts.request, openshift(labels))
    assert decide(refusing, without(SCC)).refused
    assert not decide(refusing, without(SCC, "PodSecurity")).refused


def test_without_policies_a_pod_is_defaulted_given_its_account_completed_and_validated() -> None:
    found = by_registry(pod({"nodeName": "Bad_Node"}))
    assert [str(violation.path) for violation in found.decision.violations] == ["spec.nodeName"]
    spec: Any = by_registry(pod()).stored["spec"]
    assert (spec["dnsPolicy"], spec["serviceAccountName"]) == ("ClusterFirst", "default")
    assert not completed(pod({"nodeName": "Bad_Node"})).refused


# --- everything ---------------------------------------------------------------------------------------------------


def all_of(raw: Json, cluster: InMemoryCluster, user: User = ALICE) -> Admitted:
    return everything(AdmissionFacts(AdmissionRequest(Operation.CREATE, raw, user, "monitor"), cluster))


def test_everything_goes_on_where_a_server_stops() -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    raw = pod({"nodeName": "Bad_Node"}, {"securityContext": {"runAsUser": 0, "privileged": True}})
    found = all_of(raw, openshift(labels))
    said = [violation.reason for violation in found.decision.violations]
    assert said[0].startswith('pods "p" is forbidden: unable to validate against any security context constraint')
    assert said[1].startswith('Invalid value: "Bad_Node"')
    assert said[2].startswith('pods "p" is forbidden: violates PodSecurity "restricted:latest"')
    assert len(said) == 3
    assert found.invalid
    assert sentence(admitted(raw, openshift(labels))) == said[0]


def test_a_plugin_that_refused_is_not_asked_again() -> None:
    found = all_of(pod({"hostNetwork": True}), openshift())
    assert found.selection is found.mutating
    assert len(found.decision.violations) == 1


def test_what_a_refusing_plugin_would_have_set_is_seen_by_the_validating_ones_and_not_stored() -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    found = all_of(pod(container={"securityContext": {"runAsUser": 1000}}), openshift(labels))
    assert found.verdict is not None
    assert found.verdict.allowed, "the closest SCC sets what the standard demands"
    containers: Any = found.stored["spec"]
    assert containers["containers"][0]["securityContext"] == {"runAsUser": 1000}
    (container,) = found.intended.pod.spec.containers or ()
    assert container.security_context is not None
    assert container.security_context.allow_privilege_escalation is False
    (container,) = found.pod.spec.containers or ()
    assert container.security_context is not None
    assert container.security_context.allow_privilege_escalation is None


IDS = st.sampled_from([None, 0, 1000, 1000230000, 1000230007])
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "runAsUser": IDS,
        "runAsNonRoot": st.sampled_from([None, True, False]),
        "allowPrivilegeEscalation": st.sampled_from([None, True, False]),
        "capabilities": st.sampled_from([{}, {"drop": ["KILL"]}, {"add": ["NET_BIND_SERVICE"]}, {"drop": ["ALL"]}]),
        "seccompProfile": st.sampled_from([{"type": "RuntimeDefault"}, {"type": "Unconfined"}]),
        "seLinuxOptions": st.sampled_from([{}, {"level": "s0:c10,c15"}, {"level": "s0:c1,c2"}]),
        "readOnlyRootFilesystem": st.booleans(),
    },
)
PODS = st.builds(
    lambda of_pod, own, groups, name: pod(
        {"securityContext": {**of_pod, **({"supplementalGroups": groups} if groups else {})}},
        {"securityContext": own, "extension": {"kept": name}},
    ),
    CONTEXTS.map(lambda c: {k: v for k, v in c.items() if k in {"runAsUser", "runAsNonRoot", "seccompProfile"}}),
    CONTEXTS,
    st.sampled_from([None, [1000230000], [5]]),
    st.text(max_size=3),
)


@given(PODS, st.sampled_from([ALICE, ADMIN]))
@settings(max_examples=examples(40, 120), deadline=None)
def test_admitting_what_is_stored_changes_nothing_and_the_patch_makes_it(raw: Json, user: User) -> None:
    before = copy.deepcopy(raw)
    found = admitted(raw, user=user)
    assert raw == before
    if found.refused:
        assert found.decision.assignments == ()
        return
    patch = msgspec.to_builtins(json_patch(raw, found.decision))
    assert jsonpatch.apply_patch(raw, patch) == found.stored
    again = admitted(found.stored, user=user)
    assert not again.refused
    assert again.stored == found.stored
    assert json_patch(found.stored, again.decision) == []


@given(PODS, st.sampled_from([ALICE, ADMIN]), st.sampled_from(["", "baseline", "restricted"]), st.booleans())
@settings(max_examples=examples(40, 120), deadline=None)
def test_both_questions_have_the_same_answer(raw: Json, user: User, level: str, openshifts: bool) -> None:  # noqa: FBT001  # drawn
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {}
    cluster = openshift(labels) if openshifts else InMemoryCluster(None, NOBODY, {"monitor": namespace({}, labels)})
    first, every = admitted(raw, cluster, user), all_of(raw, cluster, user)
    assert first.refused == every.refused
    if first.refused:
        assert first.decision.violations == every.decision.violations[: len(first.decision.violations)]
    else:
        assert (first.decision, first.stored, first.pod) == (every.decision, every.stored, every.pod)
        assert every.intended.raw == every.stored
    validating = [step for step in STEPS if step.phase is Phase.VALIDATING]
    seen = AdmissionFacts(AdmissionRequest(Operation.CREATE, every.stored, user, "monitor"), cluster)
    assert everything(seen, validating).object.raw is every.stored, "a validating step sets nothing"


RULES = re.compile(r"\b(decide_creation|admit_pod|admit_workload|admit_namespace|passes\.(?:admit|validate))\(")


def test_nobody_else_asks_what_a_step_asks() -> None:
    """The rules that steps ask: another room that asked them would write the order down once more.

    A Pod that a server stores is prepared by its strategy, as every object is, without admission.
    """
    stage = Path(podward.stages.admission.__file__).parent
    source = Path(podward.__file__).parent
    strategies = source / "schema" / "strategies"
    asking = {file for file in source.rglob("*.py") for line in file.read_text().splitlines() if asks(line)}
    assert {file.parent for file in asking} == {stage, strategies}


def asks(line: str) -> bool:
    return not line.lstrip().startswith("def ") and RULES.search(line) is not None
