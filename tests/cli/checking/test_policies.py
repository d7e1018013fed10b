"""From what is asked for and what the files say to the policies of a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.access.policies import policies_of
from podward.cli.checking.policies import CheckOptions, policy_set_of, sound
from podward.documents.reader import decode_documents
from podward.errors import InputError, UsageError
from podward.policy.pss.standard import LATEST, Level, Standard, Version
from podward.schema.objects import Item

SCC = """apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata: {name: %s}
runAsUser: {type: RunAsAny}
seLinuxContext: {type: RunAsAny}
fsGroup: {type: RunAsAny}
supplementalGroups: {type: RunAsAny}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {%s}}\n"
ENFORCE = "pod-security.kubernetes.io/enforce"


def items(*texts: str) -> tuple[Item, ...]:
    return tuple(
        item
        for number, text in enumerate(texts)
        for document in decode_documents(text.encode(), f"f{number}.yaml")
        for item in policies_of(document)
    )


def test_restricted_holds_where_nothing_is_asked_for() -> None:
    found = policy_set_of(CheckOptions(), ())
    assert (found.pod_security("any").policy.enforce, found.scc) == (Standard(Level.RESTRICTED, LATEST), None)


def test_with_sccs_alone_no_standard_holds() -> None:
    assert policy_set_of(CheckOptions(scc=("anyuid",)), ()).pod_security("any").policy.enforce.level is Level.PRIVILEGED
    both = policy_set_of(CheckOptions(scc=("anyuid",), level="baseline", version="v1.24"), ())
    assert both.pod_security("any").policy.enforce == Standard(Level.BASELINE, Version(24))


def test_labels_of_the_namespace_decide_for_it_alone() -> None:
    found = policy_set_of(
        CheckOptions(level="restricted"), items(NAMESPACE % f"{ENFORCE}: baseline, {ENFORCE}-version: v1.20")
    )
    assert found.pod_security("shop").policy.enforce == Standard(Level.BASELINE, Version(20))
    assert found.pod_security("other").policy.enforce.level is Level.RESTRICTED


def test_labels_that_do_not_enforce_leave_that_to_what_is_asked_for() -> None:
    found = policy_set_of(
        CheckOptions(level="baseline"), items(NAMESPACE % "pod-security.kubernetes.io/warn: restricted")
    )
    policy = found.pod_security("shop").policy
    assert (policy.enforce.level, policy.warn.level) == (Level.BASELINE, Level.RESTRICTED)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (CheckOptions(scc=("unknown",)), "there is no SCC unknown"),
        (CheckOptions(level="strict"), "is no level"),
        (CheckOptions(version="1.30"), "is no version"),
    ],
)
def test_what_is_no_policy_is_told(wishes: CheckOptions, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        policy_set_of(wishes, ())


def test_sccs_come_by_name_by_file_and_from_the_checked_files(tmp_path: Path) -> None:
    file = tmp_path / "sccs.yaml"
    file.write_text(SCC % "filed", encoding="ascii")
    assert policy_set_of(CheckOptions(scc=("restricted-v2",)), ()).scc is not None
    assert policy_set_of(CheckOptions(scc=(str(file),)), ()).scc is not None
    assert policy_set_of(CheckOptions(scc=(str(file), "filed")), ()).scc is not None
    assert policy_set_of(CheckOptions(scc=("found",)), items(SCC % "found")).scc is not None
    with pytest.raises(InputError, match="cannot read it"):
        policy_set_of(CheckOptions(scc=("none.yaml",)), ())


def test_the_same_object_twice_is_one_and_another_of_its_name_is_told_of() -> None:
    same = NAMESPACE % f"{ENFORCE}: baseline"
    kept, findings = sound(items(same, same, NAMESPACE % f"{ENFORCE}: restricted"))
    assert (len(kept), [(each.file, each.line, each.rule) for each in findings]) == (
        1,
        [("f2.yaml", 3, "input/schema")],
    )
    assert "f0.yaml:3" in findings[0].message


def test_a_policy_that_no_cluster_would_store_is_a_finding_and_does_not_count() -> None:
    wrong = (SCC % "wrong").replace("fsGroup: {type: RunAsAny}", "fsGroup: {type: Sometimes}")
    kept, findings = sound(items(wrong, SCC % "right"))
    assert [item.name for item in kept] == ["right"]
    assert [(each.file, each.subject.name, each.rule) for each in findings] == [("f0.yaml", "wrong", "input/schema")]


def test_service_accounts_of_two_namespaces_are_two() -> None:
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner, namespace: %s}\n"
    kept, findings = sound(items(account % "a", account % "b"))
    assert (len(kept), findings) == (2, ())
