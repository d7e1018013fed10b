"""`podward check --compare` from end to end: words, files, exit codes and forms."""

from __future__ import annotations

import json
import os
from pathlib import Path as File

import pytest

from podward.cli.main import main

NAMESPACE = """apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {{pod-security.kubernetes.io/enforce: {level}}}
  annotations:
    openshift.io/sa.scc.uid-range: {first}/10000
    openshift.io/sa.scc.supplemental-groups: {first}/10000
    openshift.io/sa.scc.mcs: s0:c26,c5
"""
VENDOR = """apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata: {name: vendor}
priority: 20
allowPrivilegedContainer: false
runAsUser: {type: RunAsAny}
seLinuxContext: {type: MustRunAs}
fsGroup: {type: RunAsAny}
supplementalGroups: {type: RunAsAny}
volumes: [configMap, emptyDir, persistentVolumeClaim, projected, secret]
"""
GRANT = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: vendor-scc}
rules:
- {apiGroups: [security.openshift.io], resources: [securitycontextconstraints], resourceNames: [vendor], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: vendor-for-all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: vendor-scc}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: registry.example/web}]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> File:
    monkeypatch.chdir(tmp_path)
    write("deploy/web.yaml", DEPLOYMENT)
    write("old/shop.yaml", NAMESPACE.format(level="privileged", first=1000650000))
    return tmp_path


def write(name: str, text: str) -> None:
    file = File(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["check", "--compare", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def kinds(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, object]]:
    _, out, _ = told(capsys, *words, "-o", "json")
    return {change["kind"]: change for change in json.loads(out)["changes"]}


def test_the_classic_capture_names_both_and_who_may_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    write("new/shop.yaml", File("old/shop.yaml").read_text())
    write("new/deep/vendor.yaml", VENDOR + GRANT)
    code, out, _ = told(capsys, "old", "new", "deploy")
    assert code == 1
    assert "captured by another SCC: 1 workload\n  deploy/web.yaml:4  Deployment shop/web\n" in out
    assert "because scc vendor priority 20 before restricted-v2 0 (new/deep/vendor.yaml:4)" in out
    assert "ClusterRoleBinding vendor-for-all grants it to Group system:authenticated (new/deep/vendor.yaml:23)" in out
    assert "    1000650000 → the image's user\n" in out


def test_a_grant_to_the_service_account_is_told_as_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    account = "{kind: ServiceAccount, name: default, namespace: shop}"
    write(
        "new/vendor.yaml",
        VENDOR + GRANT.replace(GRANT[GRANT.index("{apiGroup: rbac", GRANT.index("subjects")) :], account),
    )
    write("new/shop.yaml", File("old/shop.yaml").read_text())
    _, out, _ = told(capsys, "old", "new", "deploy")
    assert "ClusterRoleBinding vendor-for-all grants it to ServiceAccount default (new/vendor.yaml:23)" in out


def test_nothing_changes_between_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "old", "./old", "deploy")
    assert (code, out) == (0, "old → ./old: 0 workloads of 1 changed, 1 unchanged\n")


def test_another_range_is_another_uid(capsys: pytest.CaptureFixture[str]) -> None:
    write("new.yaml", NAMESPACE.format(level="privileged", first=1000700000))
    found = kinds(capsys, "old", "new.yaml", "deploy")
    assert list(found) == ["uid", "groups"]
    assert (found["uid"]["before"], found["uid"]["after"]) == ("1000650000", "1000700000")
    policy = {"name": "namespace shop", "path": "metadata.annotations[openshift.io/sa.scc.uid-range]"}
    assert found["uid"]["policy"] == {**policy, "where": "new.yaml:7"}


def test_a_stricter_label_refuses_and_the_label_is_cited(capsys: pytest.CaptureFixture[str]) -> None:
    plain = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n"
    plain += "    pod-security.kubernetes.io/enforce: {}\n"
    write("baseline.yaml", plain.format("baseline"))
    write("strict.yaml", plain.format("restricted"))
    found = kinds(capsys, "baseline.yaml", "strict.yaml", "deploy")
    assert list(found) == ["refused"]
    assert found["refused"]["before"] == "admitted", "nobody spoke of SCCs"
    assert found["refused"]["policy"] == {
        "name": "namespace shop",
        "path": "metadata.labels[pod-security.kubernetes.io/enforce]",
        "where": "strict.yaml:6",
    }


def test_standards_are_words_with_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(kinds(capsys, "baseline", "restricted:v1.30", "deploy")) == ["refused"]
    assert list(kinds(capsys, "restricted:v1.30", "privileged", "deploy")) == ["allowed"]


def test_a_standard_that_decides_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "baseline", "restricted", "deploy", "old")
    assert code == 0
    assert "note: baseline and restricted decides nothing in namespaces whose own labels" in out


def test_sccs_and_openshift_are_words(capsys: pytest.CaptureFixture[str]) -> None:
    found = kinds(capsys, "openshift", "anyuid", "deploy", "old")
    assert found["scc"]["after"] == "anyuid, priority 10"
    assert kinds(capsys, "openshift", "restricted-v2", "deploy", "old") == {}


def test_an_scc_with_the_name_of_a_standard_has_a_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    found = kinds(capsys, "restricted-v2", "scc:restricted", "deploy", "old")
    assert found["scc"]["after"] == "restricted, priority 0"


def test_a_word_goes_before_a_file_of_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    write("openshift/vendor.yaml", VENDOR + GRANT)
    assert kinds(capsys, "openshift", "restricted-v2", "deploy", "old") == {}
    assert "scc" in kinds(capsys, "./openshift", "restricted-v2", "deploy", "old")


def test_policies_of_what_is_checked_hold_on_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    write("deploy/vendor.yaml", VENDOR + GRANT)
    write("deploy/shop.yaml", NAMESPACE.format(level="privileged", first=1000300000))
    assert kinds(capsys, "openshift", "openshift", "deploy") == {}
    write("softer.yaml", VENDOR.replace("priority: 20", "priority: null"))
    found = kinds(capsys, "openshift", "softer.yaml", "deploy")
    assert found["scc"]["before"] == "vendor, priority 20"


def test_ids_that_nobody_described_are_told_as_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "openshift", "openshift", "deploy")
    assert "note: nobody described these namespaces, so uids 1000000000/10000 are assumed: shop\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("empty", "openshift"), "podward: empty: there is no policy in it: no .yaml, .yml or .json file"),
        (("openshift", "deploy"), "podward: deploy: there is no policy in it, only Deployment"),
        (("deploy/web.yaml", "openshift"), "podward: deploy/web.yaml:2: a Deployment of apps/v1 is no policy"),
        (("openshift", "gone.yaml"), "podward: gone.yaml: cannot read it: No such file or directory"),
        (("openshift", "nonsense"), "no Pod Security Standard and no SCC 'nonsense'"),
        (("baseline:1.30", "baseline"), "'1.30' is no version"),
        (("-", "-"), "standard input can be read once only"),
    ],
)
def test_bad_words_say_what_and_where(capsys: pytest.CaptureFixture[str], words: tuple[str, str], said: str) -> None:
    os.mkdir("empty")
    code, out, err = told(capsys, *words, "deploy")
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("option", [("--select", "pss"), ("--baseline", "b.json"), ("--write-baseline", "b.json")])
def test_options_about_findings_do_not_go_with_it(capsys: pytest.CaptureFixture[str], option: tuple[str, str]) -> None:
    code, _, err = told(capsys, "baseline", "restricted", "deploy", *option)
    assert code == 2
    assert option[0] in err


def test_a_file_that_cannot_be_read_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    write("deploy/bad.yaml", "kind: [\n")
    code, out, _ = told(capsys, "baseline", "restricted", "deploy")
    assert code == 2
    assert "newly refused: 1 workload" in out
    assert "deploy/bad.yaml:" in out
    assert out.endswith("1 not read\n")


def test_a_page_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "baseline", "restricted", "deploy", "-o", "html")
    assert code == 1
    assert out.startswith("<!DOCTYPE html>")
    assert "<script" not in out


def test_a_configured_form_that_comparisons_lack_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    write("podward.toml", '[check]\noutput = "sarif"\n')
    code, out, _ = told(capsys, "baseline", "restricted", "deploy")
    assert code == 1
    assert out.startswith("newly refused")
