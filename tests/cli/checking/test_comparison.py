"""`podward check --compare` from end to end: words, files, exit codes and forms."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path as ManifestFile
from typing import TypeVar

import pytest

from podward.check import judging
from podward.cli.checking import comparison, parallel
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


SOUND_BEFORE_SECCOMP = "securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false}, "


@pytest.fixture(autouse=True)
def here(tmp_path: ManifestFile, monkeypatch: pytest.MonkeyPatch) -> ManifestFile:
    monkeypatch.chdir(tmp_path)
    write("deploy/web.yaml", DEPLOYMENT)
    write("old/shop.yaml", NAMESPACE.format(level="privileged", first=1000650000))
    return tmp_path


def write(name: str, text: str) -> None:
    file = ManifestFile(name)
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
    write("new/shop.yaml", ManifestFile("old/shop.yaml").read_text())
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
    write("new/shop.yaml", ManifestFile("old/shop.yaml").read_text())
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


def test_a_range_that_only_the_old_side_says_is_assumed_on_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    uid = kinds(capsys, "old", "openshift", "deploy")["uid"]
    assert uid["after"] == "1000000000"
    assert str(uid["why"]).startswith("namespace shop annotation openshift.io/sa.scc.uid-range (assumed): ")
    assert uid["policy"]["where"] == ""  # type: ignore[index]  # the old side's file says something else


def test_an_scc_that_is_gone_is_cited_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    write("new/shop.yaml", ManifestFile("old/shop.yaml").read_text())
    write("old/vendor.yaml", VENDOR + GRANT)
    scc = kinds(capsys, "old", "new", "deploy")["scc"]
    assert scc["policy"] == {"name": "scc vendor", "path": "metadata.name", "where": "old/vendor.yaml:3"}


def test_the_version_that_alone_differs_is_cited(capsys: pytest.CaptureFixture[str]) -> None:
    plain = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n"
    plain += "    pod-security.kubernetes.io/enforce: restricted\n    pod-security.kubernetes.io/enforce-version: {}\n"
    write("old.yaml", plain.format("v1.18"))
    write("new.yaml", plain.format("v1.19"))
    write("deploy/web.yaml", DEPLOYMENT.replace("image:", SOUND_BEFORE_SECCOMP + "image:"))
    assert kinds(capsys, "old.yaml", "new.yaml", "deploy")["refused"]["policy"]["where"] == "new.yaml:7"  # type: ignore[index]


def test_rights_that_alone_differ_are_seen(capsys: pytest.CaptureFixture[str]) -> None:
    write("deploy/vendor.yaml", VENDOR + NAMESPACE.join(("---\n", "")).format(level="privileged", first=1000650000))
    write("grant.yaml", GRANT.removeprefix("---\n"))
    write("empty.yaml", GRANT.removeprefix("---\n").replace("[vendor]", "[nothing]"))
    assert kinds(capsys, "empty.yaml", "empty.yaml", "deploy") == {}
    assert "captured" in kinds(capsys, "empty.yaml", "grant.yaml", "deploy")


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


# --- many files -------------------------------------------------------------------------------------------------------


def many() -> None:
    """A hundred workloads of two namespaces; the checked files have policies too, and two of them can't be read."""
    for number in range(100):
        team = ("shop", "b\\u00e4nk", "mall")[number % 3]
        text = DEPLOYMENT.replace("name: web", f"name: web-{number}").replace("namespace: shop", f'namespace: "{team}"')
        if number % 7 == 0:
            text = text.replace("containers:", "securityContext: {runAsUser: 1000650001}\n      containers:")
        write(f"deploy/{number:03d}.yaml", text)
    write("deploy/021.yaml", "kind: [\n")
    write("deploy/\udcff.yaml", DEPLOYMENT)
    write("deploy/050-mall.yaml", NAMESPACE.format(level="privileged", first=1000900000).replace("shop", "mall"))
    write("new/vendor.yaml", VENDOR + GRANT)
    write("new/shop.yaml", NAMESPACE.format(level="baseline", first=1000700000))


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_two_processes_answer_byte_for_byte_what_one_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    many()
    answers = []
    for count in (1, 2, 5):
        monkeypatch.setattr(parallel, "worthwhile_processes", lambda _, count=count: count)
        answers.append(told(capsys, "old", "new", "deploy", "-o", form))
    assert answers[0][0] == 2
    assert "web-99" in answers[0][1]
    assert answers[0] == answers[1] == answers[2]


def test_a_worker_that_is_killed_is_no_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, children: Callable[[], list[int]]
) -> None:
    many()
    parent, judge = os.getpid(), judging.judge_by_policies

    def deadly(*words: object) -> object:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return judge(*words)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(comparison, "judge_by_policies", deadly)
    monkeypatch.setattr(parallel, "worthwhile_processes", lambda _: 2)
    code, out, err = told(capsys, "old", "new", "deploy")
    assert (code, out) == (2, "")
    assert err == "podward: a process that checks files has ended early\n"
    assert children() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_where_it_is_ended(how: signal.Signals) -> None:
    many()
    code = (
        "import sys; from podward.cli.checking import parallel; parallel.worthwhile_processes = lambda _: 3;"
        "from podward.cli.main import main; sys.exit(main(['check', '--compare', 'old', 'new', 'deploy', '-']))"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    # It waits for its standard input, and its workers for it.
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:  # type: ignore[call-overload]
        workers = soon(lambda: found if len(found := children_of(process.pid)) == 2 else None)
        process.send_signal(how)
        process.wait(20)
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")
        assert process.returncode == (130 if how is signal.SIGINT else -how)
        assert soon(lambda: not any(map(alive, workers)))


T = TypeVar("T")


def soon(what: Callable[[], T | None]) -> T:
    """What `what` says as soon as it says something."""
    end = time.monotonic() + 20
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def children_of(pid: int) -> list[int]:
    """Processes of this one that are there still, zombies too."""
    return [int(child) for child in ManifestFile(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether the process runs; whoever reaps orphans here may be slow."""
    try:
        return ManifestFile(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
