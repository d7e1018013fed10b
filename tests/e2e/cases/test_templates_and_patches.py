"""Files that are no objects yet: Helm's templates, and the patches of kustomize."""

from __future__ import annotations

import re

import pytest
from case_corpus import Checked, case, said, text_of
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

RENDER = r"helm template .*\| podward check -"
TEMPLATES = ("helm1.yaml", "helm-quoted.yaml", "helm-parses.yaml", "chart/templates/deployment.yaml")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_helm_template_is_one_error_that_says_to_render_it(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}"))
    assert checked.code == 2
    (finding,) = checked.report["findings"]
    assert (finding["severity"], finding["rule"].partition("/")[0]) == ("error", "input")
    assert "template" in finding["message"]
    assert re.search(RENDER, finding["remedy"])


@pytest.mark.parametrize("command", ["explain", "run", "admit"])
def test_other_commands_say_so_too(podward: Podward, command: str) -> None:
    done = podward(command, "-f", case("manifests/helm1.yaml"))
    assert done.returncode == 2
    assert "helm template" in said(done)


BRACES = {
    "format": "--format={{ .Name }}",
    "range": "{{ range .items }}{{ .status }}{{ end }}",
    "parameter": "{{inputs.parameters.x}}",
}


@pytest.mark.parametrize("word", BRACES.values(), ids=BRACES)
def test_braces_in_an_argument_are_an_argument(podward: Podward, word: str) -> None:
    manifest = text_of("hostile/clean.yaml").replace('command: ["true"]', f'command: [ctl, "{word}"]')
    checked = Checked(podward, "-", stdin=manifest)
    assert (checked.code, checked.report["findings"]) == (0, [])


def test_a_chart_is_one_error_however_many_templates_it_has(podward: Podward) -> None:
    checked = Checked(podward, case("manifests/chart"))
    assert checked.code == 2
    (finding,) = checked.findings(severity="error")
    assert re.search(RENDER, finding["remedy"])
    assert "chart" in finding["file"]


KUSTOMIZE = case("manifests/kustomize")


def test_a_kustomization_and_its_patches_are_no_workloads(podward: Podward) -> None:
    checked = Checked(podward, KUSTOMIZE)
    assert (checked.errors, checked.code, checked.workloads) == (set(), 0, 1)
    noted = {finding["file"].rpartition("/")[2] for finding in checked.findings(severity="note")}
    assert noted >= {"replicas.yaml", "add-port.yaml"}


@pytest.mark.parametrize("name", ["replicas.yaml", "add-port.yaml"])
def test_a_patch_that_is_named_is_a_note_that_says_to_build(podward: Podward, name: str) -> None:
    checked = Checked(podward, f"{KUSTOMIZE}/prod/{name}", case("hostile/clean.yaml"))
    assert checked.code == 0
    (finding,) = checked.report["findings"]
    assert finding["severity"] == "note"
    assert "kustomize" in finding["message"] + finding["remedy"]


def test_a_kustomization_alone_is_no_error_and_no_pass(podward: Podward) -> None:
    checked = Checked(podward, case("manifests/kust.yaml"))
    assert checked.errors == set()
    assert checked.code == 2, "nothing was checked"
    beside = Checked(podward, case("manifests/kust.yaml"), case("hostile/clean.yaml"))
    assert (beside.code, {each["severity"] for each in beside.report["findings"]} <= {"note"}) == (0, True)


def test_a_workload_in_a_directory_with_a_kustomization_is_checked(podward: Podward) -> None:
    checked = Checked(podward, f"{KUSTOMIZE}/base")
    assert (checked.code, checked.workloads) == (0, 1)
