"""`podward explain` of a Pod that a cluster admits: the ranking, what it set, and whose line each value is owed to."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prepared_images import with_example_images
from warm_command import run

PROJECT = Path(__file__).parent.parent.parent
SCC = PROJECT / "tests" / "e2e" / "policies" / "scc"
SCHEMA = json.loads((PROJECT / "docs" / "schema" / "explain.schema.json").read_text(encoding="utf-8"))
NAMESPACE = ("--namespace", SCC / "namespace.yaml")
RANGE = ("--scc", SCC / "new-scc-uid-range.yaml")
DEPLOYMENT = (SCC / "deploymentconfig.yaml").read_text(encoding="utf-8")
FITTING = DEPLOYMENT.replace("runAsUser: 1000", "runAsUser: 4000")
POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: c
    image: busybox:root
    securityContext:
      capabilities:
        drop: [KILL]
"""
pytestmark = pytest.mark.needs("root", "busybox", "umoci")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the examples' images."""
    return with_example_images(tmp_path_factory)


class Explain:
    """The command in a state directory; manifests come on standard input."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *words: str | Path, stdin: str = POD, columns: int = 100) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PODWARD_ROOT": str(self.root), "COLUMNS": str(columns)}
        return run("explain", "-f", "-", *map(str, words), environment=variables, stdin=stdin)

    def pod(self, *words: str | Path, code: int = 0, stdin: str = POD) -> Any:  # noqa: ANN401  # JSON
        ran = self(*words, "-o", "json", stdin=stdin)
        assert ran.returncode == code, ran.stderr
        found = json.loads(ran.stdout)
        jsonschema.validate(found, SCHEMA)
        return found["pods"][0]


@pytest.fixture
def explain(root: Path) -> Explain:
    return Explain(root)


def outcomes(pod: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return {each["name"]: each for each in pod["admission"]["considered"]}


def made(pod: Any, stage: str, path: str) -> Any:  # noqa: ANN401  # JSON
    every = (*pod["stages"], *(s for c in pod["containers"] for s in c["stages"]))
    found = [a for s in every if s["stage"] == stage for a in s["assignments"] if a["path"] == path]
    assert found, f"{stage} sets no {path}"
    return found[-1]


def line_with(text: str, words: str) -> int:
    (number,) = [n for n, line in enumerate(text.splitlines(), 1) if words in line]
    return number


def test_without_a_cluster_nothing_is_admitted(explain: Explain) -> None:
    pod = explain.pod()
    assert pod["admission"] is None
    assert "admission" not in [stage["stage"] for stage in pod["stages"]]


def test_every_scc_is_told_in_the_order_of_trying(explain: Explain) -> None:
    pod = explain.pod(*NAMESPACE)
    told = outcomes(pod)
    assert list(told)[:4] == ["anyuid", "restricted-v2", "restricted-v3", "restricted"]
    assert list(told)[-1] == "privileged"
    assert told["anyuid"]["outcome"] == "not usable"
    assert told["anyuid"]["reason"] == "neither the service account nor the caller may"
    assert told["anyuid"]["priority"] == 10
    chosen = told["restricted-v2"]
    assert chosen["outcome"] == "chosen"
    assert "somebody may use it: OpenShift's default RBAC, ClusterRoleBinding" in chosen["reason"]
    points = {each["item"]: each["points"] for each in chosen["points"]}
    assert sum(points.values()) == 132010
    assert {each["outcome"] for name, each in told.items() if name not in {"anyuid", "restricted-v2"}} == {"not tried"}
    assert pod["admission"]["caller"] == "somebody"
    assert pod["admission"]["account"] == "system:serviceaccount:monitor:default"


def test_what_is_refused_is_told_at_its_place_in_the_workload(explain: Explain) -> None:
    pod = explain.pod(*RANGE, *NAMESPACE, code=1, stdin=DEPLOYMENT)
    assert pod["refused"]
    assert pod["containers"] == []
    (refusal,) = outcomes(pod)["new-scc"]["refusals"]
    assert refusal["path"] == "spec.template.spec.containers[0].securityContext.runAsUser"
    assert refusal["reason"] == "Invalid value: 1000: must be in the ranges: [3000, 4000]"
    assert (refusal["source"]["file"], refusal["source"]["line"]) == (str(RANGE[1]), 16)
    (stage,) = [s for s in pod["stages"] if s["stage"] == "admission"]
    assert stage["refusals"][0]["path"] == "spec.template"
    assert stage["refusals"][0]["reason"].startswith('pods "centos-1-" is forbidden: ')
    assert pod["admission"]["caller"] == "system:serviceaccount:kube-system:replication-controller"


def test_the_table_shows_the_ranking_with_lines_and_exits_with_1(explain: Explain) -> None:
    ran = explain(*RANGE, *NAMESPACE, stdin=DEPLOYMENT)
    assert ran.returncode == 1
    shown = " ".join(ran.stdout.split())
    number = line_with(DEPLOYMENT, "runAsUser:")
    place = "spec.template.spec.containers[0].securityContext.runAsUser"
    wrong = "Invalid value: 1000: must be in the ranges: [3000, 4000]"
    assert f"<stdin>:{number}: {place}: {wrong}" in " ".join(explain_wide(explain).split())
    assert wrong in shown
    assert "refused by the admission stage (SecurityContextConstraints) at <stdin>:10: spec.template" in shown


def explain_wide(explain: Explain) -> str:
    return explain(*RANGE, *NAMESPACE, stdin=DEPLOYMENT, columns=220).stdout


def test_a_value_of_the_namespace_is_owed_to_the_line_of_its_annotation(explain: Explain) -> None:
    text = (SCC / "namespace.yaml").read_text(encoding="utf-8")
    pod = explain.pod(*NAMESPACE)
    ranges = line_with(text, "uid-range")
    stages = {
        "admission": "spec.containers[0].securityContext.runAsUser",
        "effective": "runAsUser",
        "oci": "process.user.uid",
        "kernel": "uid",
    }
    for stage, place in stages.items():
        source = made(pod, stage, place)["source"]
        assert source["origin"] == "policy", stage
        assert (source["file"], source["line"]) == (str(NAMESPACE[1]), ranges), stage
    label = made(pod, "oci", "annotations[podward.dev/selinux-label]")
    assert label["source"]["line"] == line_with(text, "sa.scc.mcs")
    table = explain(*NAMESPACE, columns=160).stdout
    assert f"namespace.yaml:{ranges}" in next(line for line in table.splitlines() if line.startswith("user "))


def test_a_value_of_an_scc_is_owed_to_the_line_of_its_field(explain: Explain) -> None:
    pod = explain.pod(*RANGE, *NAMESPACE, stdin=FITTING)
    source = made(pod, "admission", "spec.template.spec.containers[0].securityContext.runAsNonRoot")["source"]
    text = RANGE[1].read_text(encoding="utf-8")
    assert (source["name"], source["file"], source["line"]) == ("scc new-scc", str(RANGE[1]), line_with(text, "runAsU"))
    users = line_with(text, "users:")
    assert outcomes(pod)["new-scc"]["reason"].endswith(f"monitor:new-sa may use it: {RANGE[1]}:{users}")


def test_capabilities_that_the_scc_drops_are_not_blamed_on_the_manifest(explain: Explain) -> None:
    pod = explain.pod(*NAMESPACE)
    bounding = made(pod, "oci", "process.capabilities.bounding")
    assert bounding["value"] == []
    assert bounding["source"]["name"] == "scc restricted-v2"
    assert made(explain.pod(), "oci", "process.capabilities.bounding")["source"]["origin"] == "manifest"


def test_ranges_that_nobody_wrote_are_not_given_a_line(explain: Explain) -> None:
    source = made(explain.pod("--cluster", "openshift"), "oci", "process.user.uid")["source"]
    assert (source["name"], source["file"], source["line"]) == ("namespace default", None, None)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
@pytest.mark.parametrize("manifest", [POD, DEPLOYMENT, FITTING], ids=["pod", "refused", "admitted"])
def test_tables_with_a_ranking_fit_their_terminal(explain: Explain, manifest: str, columns: int) -> None:
    shown = explain(*RANGE, *NAMESPACE, stdin=manifest, columns=columns).stdout
    assert "OUTCOME" in shown
    assert [line for line in shown.splitlines() if len(line) > columns] == []


def test_a_field_narrows_the_explanation_of_an_admitted_pod(explain: Explain) -> None:
    pod = explain.pod(*NAMESPACE, "--field", "spec.containers[0].securityContext")
    assert pod["admission"] is None
    sources = [a["source"] for c in pod["containers"] for s in c["stages"] for a in s["assignments"]]
    assert {source["origin"] for source in sources} <= {"manifest"}
    assert "OUTCOME" not in explain(*NAMESPACE, "--field", "spec.containers[0].securityContext").stdout


def test_yaml_says_what_json_says(explain: Explain) -> None:
    said = yaml.safe_load(explain(*NAMESPACE, "-o", "yaml").stdout)
    assert said["pods"][0] == explain.pod(*NAMESPACE)


def test_pictures_show_the_ranking_and_the_page_the_policies_lines(explain: Explain) -> None:
    drawn = explain(*RANGE, *NAMESPACE, "-o", "svg", stdin=DEPLOYMENT)
    assert drawn.returncode == 1
    assert "how it was judged" in drawn.stdout
    assert "must be in the ranges: [3000, 4000]" in drawn.stdout
    page = explain(*RANGE, *NAMESPACE, "-o", "html", stdin=FITTING).stdout
    assert "how it was let in" in page
    assert "requiredDropCapabilities: []" in page  # the SCC's file, line by line
    assert str(RANGE[1]) in page


def test_pod_security_is_told_for_each_mode_that_asks_for_something(explain: Explain, tmp_path: Path) -> None:
    file = tmp_path / "namespace.yaml"
    labels = {"enforce": "privileged", "audit": "baseline", "warn": "restricted"}
    named = {f"pod-security.kubernetes.io/{mode}": level for mode, level in labels.items()}
    metadata = {"name": "prod", "labels": named}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}), encoding="utf-8")
    admission = explain.pod("--cluster", "kubernetes", "--namespace", file)["admission"]
    assert admission["considered"] == []
    assert admission["verdicts"][0] == "audits baseline:latest: nothing against the Pod"
    assert admission["verdicts"][1].startswith("warns restricted:latest: allowPrivilegeEscalation, capabilities_restr")


def test_a_pod_that_sccs_do_not_matter_to_is_told_so(explain: Explain) -> None:
    windows = POD.replace("spec:\n", "spec:\n  os: {name: windows}\n", 1).partition("    securityContext")[0]
    admission = explain.pod(*NAMESPACE, stdin=windows, code=1)["admission"]  # and a Linux node does not take it
    assert admission["note"] == "spec.os.name is windows"
    assert {each["outcome"] for each in admission["considered"]} == {"not tried"}


def test_a_pod_that_runs_is_not_admitted_again(explain: Explain) -> None:
    variables = {**os.environ, "PODWARD_ROOT": str(explain.root)}
    ran = run("explain", "--running", "x", "--cluster", "openshift", environment=variables)
    assert ran.returncode == 2
    assert "let in already" in ran.stderr


DEBUGGED = """apiVersion: v1
kind: Pod
metadata: {name: web, uid: 8e1f2d8c-0000-4000-8000-000000000001}
spec:
  containers: [{name: c, image: 'busybox:root'}]
  ephemeralContainers:
  - {name: first, image: 'busybox:root', securityContext: {privileged: true}}
  - {name: second, image: 'busybox:root'}
"""


def test_a_debug_container_that_admission_refuses_has_no_other_stage_and_the_pod_stays(explain: Explain) -> None:
    pod = explain.pod(*NAMESPACE, code=1, stdin=DEBUGGED)
    containers = {each["name"]: each for each in pod["containers"]}
    assert [stage["stage"] for stage in containers["first"]["stages"]] == ["admission"]
    (refusal,) = containers["first"]["stages"][0]["refusals"]
    assert refusal["path"] == "spec.ephemeralContainers[0]"
    assert "Privileged containers are not allowed" in refusal["reason"]
    assert (containers["first"]["predicted"], containers["second"]["predicted"]["uid"]) == (None, [1000230000] * 4)
    assert made(pod, "admission", "spec.ephemeralContainers[1].securityContext.runAsUser")["value"] == 1000230000
    assert outcomes(pod)["restricted-v2"]["outcome"] == "chosen"
