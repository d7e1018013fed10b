"""`podward check` from its words to its exit code: what is read, and what fails."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from checked import BAD, GOOD, HINTED, LABEL, NAMESPACE, Check


def test_what_passes_is_0_what_fails_is_1(check: Check) -> None:
    check.write("good.yaml", GOOD)
    check.write("bad.yaml", BAD)
    assert check("good.yaml").code == 0
    ran = check.json(".")
    assert (ran.code, ran.rules) == (1, ["pss/allowPrivilegeEscalation"])


def test_warnings_and_notes_are_0(check: Check) -> None:
    for mode, severity in (("warn", "warning"), ("audit", "note")):
        labels = f"{LABEL % ('enforce', 'privileged')}, {LABEL % (mode, 'restricted')}"
        check.write("bad.yaml", f"{NAMESPACE % labels}---\n{BAD}")
        ran = check.json("bad.yaml", "--ignore", "policy")
        assert (ran.code, [each["severity"] for each in ran.report["findings"]]) == (0, [severity])


@pytest.mark.parametrize("level", ["privileged", "baseline"])
def test_a_level_of_the_command_line_holds(check: Check, level: str) -> None:
    check.write("bad.yaml", BAD)
    assert check("bad.yaml", "--level", level).code == 0


def test_a_namespace_s_labels_go_before_the_command_line(check: Check) -> None:
    check.write("bad.yaml", f"{NAMESPACE % LABEL % ('enforce', 'restricted')}---\n{BAD}")
    assert check("bad.yaml", "--level", "privileged").code == 1


def test_what_cannot_be_read_is_2_and_the_rest_is_checked(check: Check) -> None:
    check.write("a/broken.yaml", "kind: Pod\nspec: [\n")
    check.write("a/bad.yaml", BAD)
    ran = check.json("a", "missing.yaml")
    assert ran.code == 2
    assert ran.rules == ["pss/allowPrivilegeEscalation", "input/syntax", "input/reading"]
    assert ran.report["findings"][1]["line"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x.yaml", "--diff"), "--diff goes with --fix"),
        (("x.yaml", "-o", "html"), "only --compare has a page"),
        (("x.yaml", "--select", "pss/hostPort"), "did you mean pss/hostPorts"),
        (("x.yaml", "--ignore", "input"), "cannot be ignored"),
        (("x.yaml", "--version", "1.30"), "is no version"),
        (("x.yaml", "--scc", "restrictedd"), "there is no SCC restrictedd"),
        (("x.yaml", "--config", "none.toml"), "none.toml: cannot read it"),
        (("x.yaml", "--baseline", "none.json"), "none.json: cannot read it"),
        (("empty",), "no manifest found"),
        (("-", "--fix"), "standard input and URLs cannot be changed"),
    ],
)
def test_bad_usage_is_2_and_says_what_to_do(
    check: Check, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    check.write("x.yaml", GOOD)
    (check.directory / "empty").mkdir()
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        ran = check(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    ("kind", "version", "depth"),
    [
        ("Deployment", "apps/v1", ("spec", "template")),
        ("ReplicaSet", "apps/v1", ("spec", "template")),
        ("StatefulSet", "apps/v1", ("spec", "template")),
        ("DaemonSet", "apps/v1", ("spec", "template")),
        ("ReplicationController", "v1", ("spec", "template")),
        ("DeploymentConfig", "apps.openshift.io/v1", ("spec", "template")),
        ("Job", "batch/v1", ("spec", "template")),
        ("CronJob", "batch/v1", ("spec", "jobTemplate", "spec", "template")),
        ("PodTemplate", "v1", ("template",)),
        ("Pod", "v1", ()),
    ],
)
def test_every_kind_of_workload_is_checked(check: Check, kind: str, version: str, depth: tuple[str, ...]) -> None:
    pod: dict[str, Any] = {
        "spec": {"containers": [{"name": "app", "image": "i", "securityContext": {"privileged": True}}]}
    }
    if kind != "Pod":
        pod["metadata"] = {"labels": {"a": "b"}}
    whole: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "shop"}}
    node = whole
    for step in depth[:-1]:
        node = node.setdefault(step, {})
    if depth:
        node[depth[-1]] = pod
    else:
        whole |= pod
    if "spec" in whole and kind in {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"}:
        whole["spec"]["selector"] = {"matchLabels": {"a": "b"}}
    check.write("w.json", json.dumps(whole, indent=1))
    ran = check.json("w.json", "--level", "baseline", "--select", "pss")
    (finding,) = ran.report["findings"]
    assert finding["subject"] == {"kind": kind, "namespace": "shop", "name": "web", "container": "app"}
    assert finding["path"] == ".".join((*depth, "spec.containers[0].securityContext.privileged"))
    assert ran.report["summary"]["workloads"] == 1


def test_a_list_as_a_cluster_exports_it(check: Check) -> None:
    items = [
        json.loads(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{n}"}})) for n in range(3)
    ]
    for item in items:
        item["spec"] = {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]}
        item["status"] = {"phase": "Running", "podIP": "10.0.0.1"}
        item["metadata"] |= {"uid": "1-2-3", "resourceVersion": "7", "managedFields": [{"manager": "kubectl"}]}
    check.write("live.json", json.dumps({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}, indent=1))
    ran = check.json("live.json", "--level", "baseline", "--select", "pss")
    assert [each["path"] for each in ran.report["findings"]] == [
        f"items[{n}].spec.containers[0].securityContext.privileged" for n in range(3)
    ]
    assert check("live.json", "--level", "baseline", "--fix", "--select", "pss").code == 0
    left = json.loads((check.directory / "live.json").read_text(encoding="utf-8"))
    assert [item["spec"]["containers"][0] for item in left["items"]] == [{"name": "c", "image": "i"}] * 3
    assert left["items"][2]["metadata"]["managedFields"] == [{"manager": "kubectl"}]


def test_standard_input(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    file = check.write("in", BAD)
    with file.open(encoding="utf-8") as opened:
        monkeypatch.setattr(sys, "stdin", opened)
        ran = check.json("-")
    assert (ran.code, ran.report["findings"][0]["file"]) == (1, "<stdin>")


def test_custom_resources_and_empty_documents_are_passed_over(check: Check) -> None:
    custom = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {anything: [1, {a: b}]}\n"
    check.write("x.yaml", f"---\n---\n{custom}---\n# nothing\n---\n{GOOD}")
    ran = check.json("x.yaml")
    assert (ran.code, ran.report["summary"]["workloads"]) == (0, 1)


def test_what_is_no_object_is_a_note_where_it_was_found_and_an_error_where_it_was_named(check: Check) -> None:
    check.directory.joinpath("d").mkdir()
    check.directory.joinpath("d/good.yaml").write_text(GOOD)
    check.directory.joinpath("d/values.yaml").write_text("image: {tag: 1}\n")
    check.directory.joinpath("d/hooks.yaml").write_text("- id: podward\n")
    found = check("d", "-o", "json")
    assert (found.code, found.rules) == (0, ["input/other", "input/other"])
    assert {finding["severity"] for finding in found.report["findings"]} == {"note"}
    assert check("d", "--fix").code == 0
    assert check("d", "d/values.yaml", "-o", "json").code == 2
    check.directory.joinpath("d/forgot.yaml").write_text("apiVersion: v1\nmetadata: {name: a}\n")
    assert check("d").code == 2


def test_a_pod_with_ephemeral_containers_is_judged_as_a_cluster_has_it(check: Check) -> None:
    debugged = GOOD + "  ephemeralContainers:\n  - {name: debug, image: 'b:1'}\n"
    check.directory.joinpath("a.yaml").write_text(debugged)
    assert "api/validation" in check("a.yaml", "-o", "json").rules
    check.directory.joinpath("a.yaml").write_text(debugged.replace("{name: good,", "{name: good, uid: 1-2,"))
    rules = check("a.yaml", "-o", "json").rules
    assert "api/validation" not in rules
    assert "pss/allowPrivilegeEscalation" in rules


def test_a_file_named_twice_is_checked_once(check: Check) -> None:
    file = check.write("a/x.yaml", BAD)
    ran = check.json("a", "./a/x.yaml", str(file), "a/../a")
    assert (len(ran.rules), ran.report["summary"]["files"]) == (1, 1)


def test_hints_are_warnings_and_not_said_where_a_policy_says_it(check: Check) -> None:
    check.write("x.yaml", HINTED)
    assert check.json("x.yaml").rules == ["pss/seccompProfile_restricted"]
    ran = check.json("x.yaml", "--level", "baseline")
    assert (ran.code, ran.rules) == (0, ["hint/seccomp-unset"])
    assert check.json("x.yaml", "--level", "baseline", "--ignore", "hint").rules == []


def test_hints_do_not_need_what_only_a_cluster_knows(check: Check) -> None:
    env = "    env: [{name: P, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n"
    check.write("x.yaml", HINTED + env)
    check.write("y.yaml", HINTED.replace("spec:", "spec:\n  hostUsers: false"))
    assert check.json("x.yaml", "y.yaml", "--level", "baseline").rules == ["hint/seccomp-unset"] * 2


def test_windows_pods_get_no_hints_about_linux(check: Check) -> None:
    check.write("x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec:\n  os: {name: windows}\n"
                          "  containers: [{name: c, image: i}]\n")  # fmt: skip
    assert check.json("x.yaml", "--level", "baseline").rules == []
