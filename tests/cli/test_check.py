"""`podward check` from its words to its output and exit code."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from podward.api.editing.edits import edited
from podward.cli import main as commands
from podward.errors import InputError

PROJECT = Path(__file__).parent.parent.parent
SARIF = json.loads((PROJECT / "tests/render/check/sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((PROJECT / "docs/schema/check.schema.json").read_text(encoding="utf-8"))
NOBODY = 65534

GOOD = """apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: app
    image: registry.example.com/app:1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
BAD = (
    GOOD.replace("name: good", "name: bad")
    .replace("escalation: false", "x")
    .replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
)
TEMPLATE = """\
    spec:
      containers:
      - name: app
        image: registry.example.com/app:1
        securityContext: {privileged: true}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {%s}}\n"
LABEL = "pod-security.kubernetes.io/%s: %s"


class Ran:
    """One call: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def report(self) -> Any:  # noqa: ANN401  # JSON
        return json.loads(self.out)

    @property
    def rules(self) -> list[str]:
        return [finding["rule"] for finding in self.report["findings"]]


class Check:
    """The command, in a directory of its own."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys

    def __call__(self, *words: str) -> Ran:
        code = commands.main(["check", *words])
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def json(self, *words: str) -> Ran:
        ran = self(*words, "-o", "json")
        jsonschema.validate(ran.report, SCHEMA)
        assert ran.report["exitCode"] == ran.code
        return ran

    def write(self, name: str, text: str) -> Path:
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        return file


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Check]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    yield Check(tmp_path, capsys)
    gc.enable()


# --- exit codes -----------------------------------------------------------------------------------------------------


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
        ran = check.json("bad.yaml")
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
        (("-", "--fix"), "standard input cannot be changed"),
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


# --- what is read ---------------------------------------------------------------------------------------------------


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


# --- service accounts and SCCs --------------------------------------------------------------------------------------

BINDING = """---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: anyuid, namespace: %s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:openshift:scc:anyuid"}
subjects: [{kind: ServiceAccount, name: runner, namespace: shop}]
"""
AS_ROOT = (
    GOOD.replace(", seccompProfile: {type: RuntimeDefault}", "")
    .replace("  containers:", "  serviceAccountName: runner\n  containers:")
    .replace("securityContext: {allow", "securityContext: {runAsUser: 0, runAsNonRoot: false, allow")
)
CLUSTER = """apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata: {name: ours}
allowPrivilegedContainer: false
runAsUser: {type: MustRunAsRange}
seLinuxContext: {type: MustRunAs}
fsGroup: {type: MustRunAs}
supplementalGroups: {type: RunAsAny}
volumes: [emptyDir, configMap, secret, projected]
users: []
groups: ["system:authenticated"]
"""


def test_a_named_scc_must_fit(check: Check) -> None:
    check.write("x.yaml", AS_ROOT)
    ran = check.json("x.yaml", "--scc", "restricted-v2")
    assert (ran.code, "scc/runAsUser" in ran.rules) == (1, True)
    assert check("x.yaml", "--scc", "anyuid").code == 0
    assert check("x.yaml", "--scc", "restricted-v2", "--scc", "anyuid").code == 0


def test_a_service_account_that_the_files_grant_an_scc_may_use_it(check: Check) -> None:
    check.write("ours.yaml", CLUSTER)
    check.write("x.yaml", AS_ROOT)
    refused = check.json("x.yaml", "--scc", "ours.yaml", "--ignore", "hint")
    assert (refused.code, {rule.partition("/")[0] for rule in refused.rules}) == (1, {"scc"})
    check.write("x.yaml", AS_ROOT + BINDING % "shop")
    assert check("x.yaml", "--scc", "ours.yaml").code == 0
    check.write("x.yaml", AS_ROOT + BINDING % "elsewhere")
    assert check("x.yaml", "--scc", "ours.yaml").code == 1


def test_an_scc_among_the_checked_files_can_be_named(check: Check) -> None:
    check.write("d/ours.yaml", CLUSTER)
    check.write("d/x.yaml", HINTED)
    assert check("d", "--scc", "ours").code == 0
    assert check("d/x.yaml", "--scc", "ours").code == 2


def test_two_namespaces_of_one_name_are_told_of_and_the_first_counts(check: Check) -> None:
    check.write("a.yaml", NAMESPACE % LABEL % ("enforce", "privileged"))
    check.write("b.yaml", NAMESPACE % LABEL % ("enforce", "restricted"))
    check.write("c.yaml", BAD)
    ran = check.json("a.yaml", "b.yaml", "c.yaml")
    (finding,) = ran.report["findings"]
    assert (ran.code, finding["rule"], finding["severity"], finding["file"]) == (0, "input/schema", "warning", "b.yaml")
    assert "a.yaml:3" in finding["message"]


# --- hints ----------------------------------------------------------------------------------------------------------

HINTED = GOOD.replace(", seccompProfile: {type: RuntimeDefault}", "")


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


# --- waivers and baselines ------------------------------------------------------------------------------------------


def annotated(text: str, waiver: str) -> str:
    return text.replace("namespace: shop}", f'namespace: shop, annotations: {{check.podward.dev/waive: "{waiver}"}}}}')


def test_an_annotation_waives_until_its_day(check: Check) -> None:
    check.write("x.yaml", annotated(BAD, "pss/allowPrivilegeEscalation until 2999-01-01: sudo"))
    ran = check.json("x.yaml")
    assert (ran.code, ran.rules, ran.report["summary"]["waived"]) == (0, [], 1)
    check.write("x.yaml", annotated(BAD, "pss/allowPrivilegeEscalation until 2020-01-01: sudo"))
    assert check.json("x.yaml").rules == ["waiver/expired", "pss/allowPrivilegeEscalation"]
    check.write("x.yaml", annotated(GOOD, "pss/hostPorts until 2999-01-01: none"))
    assert (check("x.yaml").code, check.json("x.yaml").rules) == (0, ["waiver/unused"])
    check.write("x.yaml", annotated(GOOD, "pss/hostPorts until tomorrow: none"))
    assert (check("x.yaml").code, check.json("x.yaml").rules) == (1, ["waiver/malformed"])


@pytest.mark.parametrize("on_template", [False, True])
def test_a_waiver_may_stand_on_the_workload_or_on_its_template(check: Check, on_template: bool) -> None:  # noqa: FBT001
    waiver = "{check.podward.dev/waive: 'pss until 2999-01-01: an agent of the node'}"
    own, inner = ("{}", waiver) if on_template else (waiver, "{}")
    check.write(
        "x.yaml",
        f"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: web, annotations: {own}}}\nspec:\n"
        "  selector: {matchLabels: {a: b}}\n"
        f"  template:\n    metadata: {{labels: {{a: b}}, annotations: {inner}}}\n" + TEMPLATE,
    )
    ran = check.json("x.yaml", "--level", "baseline", "--select", "pss,waiver")
    assert (ran.code, ran.rules, ran.report["summary"]["waived"]) == (0, [], 1)


def test_a_baseline_lets_only_new_findings_fail(check: Check) -> None:
    check.write("x.yaml", BAD)
    assert check("x.yaml", "--write-baseline", "known.json").code == 0
    ran = check.json("x.yaml", "--baseline", "known.json")
    assert (ran.code, ran.report["summary"]["baselined"]) == (0, 1)
    check.write("x.yaml", "# moved down\n\n" + BAD)
    assert check("x.yaml", "--baseline", "known.json").code == 0
    check.write("x.yaml", BAD.replace("name: bad", "name: other"))
    again = check.json("x.yaml", "--baseline", "known.json")
    assert (again.code, again.report["summary"]["vanished"]) == (1, 1)
    check.write("known.json", "[]")
    assert check("x.yaml", "--baseline", "known.json").code == 2


def test_known_and_waived_findings_are_not_fixed(check: Check) -> None:
    file = check.write("x.yaml", BAD)
    check("x.yaml", "--write-baseline", "known.json")
    assert check("x.yaml", "--baseline", "known.json", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == BAD
    waived = annotated(BAD, "pss until 2999-01-01: sudo")
    check.write("x.yaml", waived)
    assert check("x.yaml", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == waived


def test_what_is_ignored_is_neither_told_nor_fixed(check: Check) -> None:
    file = check.write("x.yaml", BAD)
    assert check("x.yaml", "--ignore", "pss/allowPrivilegeEscalation", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == BAD


# --- names of files -------------------------------------------------------------------------------------------------

CONFIGURATION = """[check]
exclude = ["deploy/old"]
baseline = "known.json"
[[check.waivers]]
rule = "pss/allowPrivilegeEscalation"
path = "deploy/sudo/*.yaml"
reason = "sudo"
expires = 2999-01-01
"""


@pytest.mark.parametrize("way", ["from above", "from the directory", "absolute", "from below", "from beside"])
def test_patterns_and_baselines_see_the_same_names_from_everywhere(
    check: Check, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    check.write("podward.toml", CONFIGURATION)
    check.write("known.json", '{"version": 1, "files": {}}')
    check.write("deploy/sudo/a.yaml", BAD)
    check.write("deploy/old/b.yaml", BAD)
    check.write("deploy/c.yaml", BAD)
    (check.directory / "beside").mkdir()
    assert check("deploy", "--write-baseline", "known.json").code == 0
    whole = str(check.directory / "deploy")
    here, path, shown = {
        "from above": (".", "deploy", "deploy/c.yaml"),
        "from the directory": ("deploy", ".", "c.yaml"),
        "absolute": ("deploy", whole, "c.yaml"),
        "from below": ("deploy/old", "..", "../c.yaml"),
        "from beside": ("beside", whole, "../deploy/c.yaml"),
    }[way]
    monkeypatch.chdir(check.directory / here)
    ran = check.json(path)
    assert (ran.code, ran.rules) == (0, [])
    assert [each["file"] for each in ran.report["baselined"]] == [shown]
    assert (ran.report["summary"]["files"], ran.report["summary"]["waived"]) == (2, 1)


def test_an_excluded_pattern_of_the_command_line_is_meant_from_here(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    check.write("podward.toml", "[check]\n")
    check.write("deploy/old/b.yaml", BAD)
    check.write("deploy/c.yaml", GOOD)
    monkeypatch.chdir(check.directory / "deploy")
    assert check(".", "--exclude", "old/*").code == 0
    assert check(str(check.directory), "--exclude", "old/*").code == 0
    assert check(".", "--exclude", "deploy/old").code == 1
    assert check("old/b.yaml", "--exclude", "old/*").code == 1  # what is named itself


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


def test_a_baseline_that_is_still_to_be_made_may_be_configured_and_lie_among_the_manifests(check: Check) -> None:
    check.directory.joinpath("podward.toml").write_text('[check]\nbaseline = "known.json"\n')
    check.directory.joinpath("bad.yaml").write_text(BAD)
    assert check(".").code == 2
    made = check(".", "--write-baseline", "known.json")
    assert (made.code, "2 findings" in made.err or "1 findings" in made.err) == (0, True)
    assert check(".").code == 0
    assert check(".", "--write-baseline", "known.json").code == 0
    assert check(".").code == 0


def test_waivers_are_no_findings_that_a_baseline_knows(check: Check) -> None:
    check.directory.joinpath("a.yaml").write_text(annotated(GOOD, "pss until 2020-01-01: long ago"))
    assert "0 findings" in check("a.yaml", "--write-baseline", "known.json").err


def test_a_pod_with_ephemeral_containers_is_judged_as_a_cluster_has_it(check: Check) -> None:
    debugged = GOOD + "  ephemeralContainers:\n  - {name: debug, image: 'b:1'}\n"
    check.directory.joinpath("a.yaml").write_text(debugged)
    assert "api/validation" in check("a.yaml", "-o", "json").rules
    check.directory.joinpath("a.yaml").write_text(debugged.replace("{name: good,", "{name: good, uid: 1-2,"))
    rules = check("a.yaml", "-o", "json").rules
    assert "api/validation" not in rules
    assert "pss/allowPrivilegeEscalation" in rules


def test_a_file_of_scc_may_hold_workloads_too(check: Check) -> None:
    scc = (
        "apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata: {name: mine}\n"
        "runAsUser: {type: MustRunAs, uid: 5}\nseLinuxContext: {type: RunAsAny}\nvolumes: ['*']\n"
    )
    check.directory.joinpath("a.yaml").write_text(f"{scc}---\n{GOOD}    command: [a]\n")
    assert check("a.yaml", "--scc", "a.yaml", "-o", "json").code in {0, 1}


def test_a_newer_version_that_only_warns_is_told(check: Check) -> None:
    labels = ", ".join(
        (LABEL % ("enforce", "restricted"), LABEL % ("enforce-version", "v1.18"), LABEL % ("warn", "restricted"))
    )
    check.directory.joinpath("a.yaml").write_text(
        f"{NAMESPACE % labels}---\n{GOOD.replace(', seccompProfile: {type: RuntimeDefault}', '')}"
    )
    found = [(each["rule"], each["severity"]) for each in check("a.yaml", "-o", "json").report["findings"]]
    assert ("pss/seccompProfile_restricted", "warning") in found


def test_validation_sees_what_an_scc_sets(check: Check) -> None:
    scc = (
        "apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata: {name: mine}\n"
        "groups: ['system:authenticated']\nallowPrivilegedContainer: true\nallowPrivilegeEscalation: false\n"
        "runAsUser: {type: RunAsAny}\n"
        "seLinuxContext: {type: RunAsAny}\nvolumes: ['*']\n"
    )
    check.directory.joinpath("scc.yaml").write_text(scc)
    check.directory.joinpath("a.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
        "  - {name: app, image: 'a:1', securityContext: {privileged: true}}\n"
    )
    assert "api/validation" in check("a.yaml", "--scc", "scc.yaml", "-o", "json").rules


def test_a_locale_without_some_characters_is_no_error(check: Check) -> None:
    check.directory.joinpath("a.yaml").write_text(BAD.replace("name: app", "name: gr\u00fcn"), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for form in ("table", "json", "junit"):
        command = [sys.executable, "-m", "podward", "check", "a.yaml", "-o", form]
        ran = subprocess.run(command, capture_output=True, env=environment, cwd=check.directory, check=False)
        assert (ran.returncode, ran.stderr) == (1, b"")
        if form == "json":
            json.loads(ran.stdout.decode())


def test_a_file_named_twice_is_checked_once(check: Check) -> None:
    file = check.write("a/x.yaml", BAD)
    ran = check.json("a", "./a/x.yaml", str(file), "a/../a")
    assert (len(ran.rules), ran.report["summary"]["files"]) == (1, 1)


# --- forms ----------------------------------------------------------------------------------------------------------

HOSTILE = "x\n::error::owned\r\x1b[31m<b>&|"


@pytest.fixture
def hostile(check: Check) -> Check:
    """A manifest with a hostile name, and a file with another."""
    names = json.dumps(HOSTILE)
    check.write(
        "a\n::error file=x::owned\x1b[2J.yaml",
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {names}, namespace: {names}}}\n"
        f"spec:\n  containers: [{{name: {names}, image: {names}, securityContext: {{privileged: true}}}}]\n",
    )
    check.write("b.yaml", "{")
    return check


@pytest.mark.parametrize("form", ["table", "json", "sarif", "junit", "github"])
def test_no_name_drives_a_terminal_or_forges_a_command(hostile: Check, form: str) -> None:
    ran = hostile(".", "-o", form)
    assert ran.code == 2
    assert "\x1b" not in ran.out
    assert "\r" not in ran.out
    forged = [line for line in ran.out.splitlines() if line.strip().startswith("::") and "owned" in line[:20]]
    assert forged == []
    if form == "github":
        assert all(line.startswith("::error file=") for line in ran.out.splitlines()[:-1])


def test_no_name_drives_a_terminal_when_fixing(hostile: Check) -> None:
    shown = hostile(".", "--fix", "--diff")
    assert "\n::" not in shown.out + shown.err
    told = hostile("b.yaml", "--baseline", "none\n::error::owned\x1b")
    assert (told.code, "\n::" in told.err, "\x1b" in told.err) == (2, False, False)
    made = hostile(".", "--fix")
    assert "\x1b" not in made.out + made.err
    assert "\n::" not in made.out + made.err


def test_every_form_is_what_it_says(check: Check) -> None:
    check.write("x.yaml", annotated(BAD, "pss/hostPorts until 2999-01-01: none"))
    jsonschema.Draft4Validator(SARIF).validate(json.loads(check("x.yaml", "-o", "sarif").out))
    tree = ET.fromstring(check("x.yaml", "-o", "junit").out)  # noqa: S314  # our own output
    assert (tree.tag, tree.get("failures")) == ("testsuites", "1")
    assert check("x.yaml", "-o", "github").out.startswith("::warning file=x.yaml,line=3,title=waiver/unused::")
    assert check("x.yaml").out.startswith("x.yaml:3  warning  waiver/unused  ")
    check.json("x.yaml")


# --- fixing ---------------------------------------------------------------------------------------------------------


def test_mode_and_owner_stay_and_a_link_is_followed(check: Check) -> None:
    target = check.write("real/x.yaml", BAD)
    target.chmod(0o640)
    os.chown(target, NOBODY, NOBODY) if os.geteuid() == 0 else None
    before = target.stat()
    link = check.directory / "x.yaml"
    link.symlink_to("real/x.yaml")
    ran = check("x.yaml", "--fix")
    assert (ran.code, ran.err) == (0, "podward: fixed x.yaml\n")
    assert link.is_symlink()
    after = target.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert target.read_text(encoding="utf-8") == BAD.replace("Escalation: true", "Escalation: false")
    assert sorted(each.name for each in (check.directory / "real").iterdir()) == ["x.yaml"]


@pytest.mark.needs("root")
def test_a_file_that_may_not_be_written_is_an_error_and_the_others_are_fixed(check: Check) -> None:
    check.write("d/a.yaml", BAD).chmod(0o444)
    open_file = check.write("d/b.yaml", BAD)
    for path in (check.directory / "d", *(check.directory / "d").iterdir()):
        os.chown(path, NOBODY, NOBODY)
    for path in (check.directory, *check.directory.parents):
        if not path.stat().st_mode & 1:
            path.chmod(path.stat().st_mode | 0o11)
    ran = subprocess.run(
        [sys.executable, "-m", "podward", "check", "d", "--fix", "-o", "json"],
        cwd=check.directory,
        capture_output=True,
        text=True,
        check=False,
        user=NOBODY,
        timeout=60,
    )
    assert ran.returncode == 2
    assert "podward: d/a.yaml: cannot write it: it is read-only\n" in ran.stderr
    assert "podward: fixed d/b.yaml\n" in ran.stderr
    assert open_file.read_text(encoding="utf-8") != BAD
    assert [each["file"] for each in json.loads(ran.stdout)["findings"]] == ["d/a.yaml"]


def test_advice_is_followed_only_where_it_is_selected(check: Check) -> None:
    labels = f"{LABEL % ('enforce', 'baseline')}, {LABEL % ('warn', 'restricted')}"
    text = f"{NAMESPACE % labels}---\n{HINTED}---\n{HINTED.replace('good', 'other').replace('shop', 'free')}"
    file = check.write("x.yaml", text)
    assert check("x.yaml", "--fix", "--level", "baseline").code == 0
    assert file.read_text(encoding="utf-8") == text
    check("x.yaml", "--fix", "--level", "baseline", "--select", "hint")
    assert file.read_text(encoding="utf-8").count("seccompProfile") == 1
    check("x.yaml", "--fix", "--level", "baseline", "--select", "pss/seccompProfile_restricted")
    assert file.read_text(encoding="utf-8").count("seccompProfile") == 2


def test_where_two_findings_want_different_values_the_last_word_satisfies_both(check: Check) -> None:
    """The SCC wants a uid of its range, Pod Security one that is not 0: to say nothing is right for both."""
    text = GOOD.replace("runAsNonRoot: true", "runAsUser: 0, runAsNonRoot: false")
    file = check.write("x.yaml", text)
    ran = check.json("x.yaml", "--scc", "restricted-v2", "--level", "restricted", "--fix")
    assert (ran.code, ran.rules) == (0, [])
    assert "runAsUser" not in file.read_text(encoding="utf-8")


def test_where_two_policies_contradict_each_other_nothing_turns_round(check: Check) -> None:
    """The SCC anyuid sets no seccomp profile and allows none; restricted demands one."""
    file = check.write("x.yaml", GOOD)
    ran = check.json("x.yaml", "--scc", "anyuid", "--level", "restricted", "--fix")
    assert (ran.code, ran.rules) == (1, ["scc/seccomp"])
    assert file.read_text(encoding="utf-8") == GOOD


def test_no_change_is_made_after_which_no_api_server_takes_the_pod(check: Check) -> None:
    text = GOOD.replace("allowPrivilegeEscalation: false", "privileged: true").replace(
        "drop: [ALL]}}", "drop: [ALL]}}\n    volumeMounts: [{name: v, mountPath: /v, mountPropagation: Bidirectional}]"
    )
    file = check.write("x.yaml", text + "  volumes: [{name: v, emptyDir: {}}]\n")
    ran = check.json("x.yaml", "--fix")
    assert (ran.code, ran.rules) == (1, ["pss/allowPrivilegeEscalation", "pss/privileged"])
    assert all(not each["changes"] and "no API server takes" in each["remedy"] for each in ran.report["findings"])
    assert file.read_text(encoding="utf-8") == text + "  volumes: [{name: v, emptyDir: {}}]\n"
    shown = check("x.yaml", "--fix", "--diff")
    assert (shown.code, shown.out) == (1, "")
    assert "x.yaml:9: pss/privileged: Changing this field alone" in shown.err


def test_what_would_be_empty_goes_whole(check: Check) -> None:
    text = GOOD.replace(
        "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}", "capabilities: {add: [SYS_TIME]}"
    )
    file = check.write("x.yaml", text)
    assert check("x.yaml", "--level", "baseline", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == text.replace(
        "    securityContext: {capabilities: {add: [SYS_TIME]}}\n", ""
    )


def test_a_document_that_cannot_be_edited_does_not_keep_the_others_from_it(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stubborn(content: bytes, name: str, edits: Any) -> bytes:  # noqa: ANN401
        if any(edit.document == 0 for edit in edits):
            raise InputError("it cannot be edited", where=name)
        return edited(content, name, edits)

    monkeypatch.setattr("podward.cli.checking.fixing.edited", stubborn)
    file = check.write("x.yaml", f"{BAD}---\n{BAD.replace('bad', 'other')}")
    ran = check("x.yaml", "--fix")
    assert (ran.code, ran.err) == (1, "podward: x.yaml: it cannot be edited\npodward: fixed x.yaml\n")
    assert file.read_text(encoding="utf-8").count("Escalation: true") == 1


def test_two_fixes_at_once_do_not_meet_in_one_file(check: Check) -> None:
    """The new content is put in place at once: a reader sees the old file or the new one."""
    file = check.write("x.yaml", BAD)
    with file.open(encoding="utf-8") as reader:
        assert check("x.yaml", "--fix").code == 0
        assert reader.read() == BAD
