"""A workload is judged by every step of admission: what one refuses does not hide what the others have against it."""

from __future__ import annotations

from typing import Any

import pytest

from podward.access.named_sccs import NamedSccs
from podward.access.rbac import Rbac
from podward.api.caller import User
from podward.api.finding import Finding
from podward.check.judging import Judged, judge_by_policies
from podward.check.policy_set import UNHELD, PolicySet, SccTerms
from podward.documents.document import Document
from podward.documents.parsed_value import Lines
from podward.policy.pss.standard import Level, Standard
from podward.policy.scc import passes
from podward.policy.scc.documents import sccs_in_force
from podward.schema.workload import pod_sources

SCCS = passes.prepare(source.view for source in sccs_in_force(()))
RESTRICTED = Standard(Level.RESTRICTED)


def pod(container: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None, **spec: Any) -> Any:  # noqa: ANN401  # JSON
    containers = [{"name": "c", "image": "i", **(container or {})}]
    about = {"name": "p", "namespace": "shop", **(metadata or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {"containers": containers, **spec}}


def judged(raw: Any, scc: str = "", standard: Standard = UNHELD, namespace: str = "default") -> Judged:  # noqa: ANN401  # JSON
    authorizer = NamedSccs(frozenset((scc,))) if scc != "none" else Rbac((), ())
    terms = SccTerms(SCCS, authorizer, lambda _: User("somebody")) if scc else None
    lines: Lines = {"metadata": (2, dict.fromkeys(raw["metadata"], 3))}
    (source,) = pod_sources(Document("p.yaml", raw, 1, lines))
    return judge_by_policies(source, 0, PolicySet({}, standard, terms, namespace))


def told(found: Judged) -> list[tuple[str, str]]:
    return [(finding.rule, str(finding.path)) for finding in found.findings]


def test_the_findings_come_in_the_api_servers_order() -> None:
    raw = pod({"securityContext": {"runAsUser": 0, "procMount": "Unmasked"}}, nodeName="Bad_Node", hostUsers=False)
    rules = [rule for rule, _ in told(judged(raw, "restricted-v2", RESTRICTED))]
    families = list(dict.fromkeys(rule.partition("/")[0] for rule in rules))
    assert families == ["scc", "api", "pss"]


def test_pod_security_does_not_ask_for_what_the_closest_scc_sets() -> None:
    refused = judged(pod({"securityContext": {"runAsUser": 5}}), "restricted-v2", RESTRICTED)
    assert told(refused) == [("scc/runAsUser", "spec.containers[0].securityContext.runAsUser")]
    alone = judged(pod({"securityContext": {"runAsUser": 5}}), "", RESTRICTED)
    assert told(alone)[0][0] == "pss/allowPrivilegeEscalation"


def test_what_is_not_stored_is_not_in_the_stored_pod() -> None:
    refused = judged(pod({"securityContext": {"runAsUser": 5}}), "restricted-v2")
    (container,) = refused.pod.spec.containers or ()
    assert container.security_context is not None
    assert container.security_context.capabilities is None
    admitted = judged(pod(), "restricted-v2")
    (container,) = admitted.pod.spec.containers or ()
    assert container.security_context is not None
    assert container.security_context.capabilities is not None


def test_where_no_scc_may_be_used_there_is_one_finding_about_the_account() -> None:
    found = judged(pod(), "none")
    assert told(found) == [("scc/access", "spec.serviceAccountName")]
    assert found.findings[0].message.startswith('pods "p" is forbidden: unable to validate against any security')


@pytest.mark.parametrize(("uid", "rules"), [(None, ["api/validation"]), ("8e1f2d8c", [])])
def test_a_pod_that_comes_from_a_cluster_may_have_debug_containers(uid: str | None, rules: list[str]) -> None:
    raw = pod(None, {"uid": uid} if uid else {}, ephemeralContainers=[{"name": "d", "image": "i"}])
    assert [rule for rule, _ in told(judged(raw))] == rules


@pytest.mark.parametrize(
    ("scc", "rules"), [("", {"pss/privileged"}), ("restricted-v2", {"pss/privileged", "scc/privileged"})]
)
def test_a_debug_container_of_a_cluster_is_held_to_what_its_namespace_enforces(scc: str, rules: set[str]) -> None:
    debug = {"name": "d", "image": "i", "securityContext": {"privileged": True}}
    found = judged(pod(None, {"uid": "8e1f2d8c"}, ephemeralContainers=[debug]), scc, Standard(Level.BASELINE))
    place = "spec.ephemeralContainers[0].securityContext.privileged"
    assert set(told(found)) == {(rule, place) for rule in rules}
    assert {finding.subject.container for finding in found.findings} == {"d"}


def test_the_commands_namespace_is_no_fault_of_the_document() -> None:
    raw = pod()
    assert told(judged(raw, namespace="Bad_Name")) == []
    del raw["metadata"]["namespace"]
    assert told(judged(raw, namespace="Bad_Name")) == []
    raw["metadata"]["namespace"] = "Bad_Name"
    assert told(judged(raw)) == [("api/validation", "metadata.namespace")]


def test_a_token_is_valid_with_the_account_that_admission_gives() -> None:
    token = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
    assert told(judged(pod(volumes=[token]), "restricted-v2")) == []


def test_each_finding_is_there_once() -> None:
    found: tuple[Finding, ...] = judged(pod(), "", RESTRICTED).findings
    assert len({(finding.rule, finding.path, finding.message) for finding in found}) == len(found)
