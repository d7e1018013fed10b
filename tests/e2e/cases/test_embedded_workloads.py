"""Pod templates inside other objects are judged: Templates, operators' bundles, Rollouts, Workflows, Knative."""

from __future__ import annotations

import pytest
from case_corpus import Checked, case, text_of
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

JUDGED = {
    "tmpl": {"pss/privileged": 18, "pss/hostNamespaces": 16},
    "csv": {"pss/privileged": 16, "pss/hostNamespaces": 15},
    "crd-Rollout": {"pss/privileged": 9, "pss/hostNamespaces": 7},
    "crd-Service": {"pss/privileged": 9, "pss/hostNamespaces": 7},
    "template-parameters": {"pss/hostNamespaces": 22},
    "csv-two-deployments": {"pss/hostPorts": 30},
    "workflow": {"pss/privileged": 14},
    "cron-workflow": {"pss/hostNamespaces": 8},
    "workflow-template": {"pss/capabilities_baseline": 9},
    "knative-configuration": {"pss/privileged": 11},
    "rollout-workload-ref": {"pss/privileged": 17},
}
"""What each file is refused for at baseline, and the line of that."""


@pytest.mark.parametrize("name", JUDGED)
def test_an_embedded_template_is_judged_at_its_lines(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"), "--level", "baseline")
    assert checked.code == 1
    found = {finding["rule"]: finding["line"] for finding in checked.findings("pss/", "error")}
    assert found == JUDGED[name]


COUNTED = {"tmpl": 1, "csv": 1, "csv-two-deployments": 2, "workflow": 2, "rollout-workload-ref": 1}


@pytest.mark.parametrize("name", COUNTED)
def test_every_embedded_template_is_counted(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"))
    assert checked.workloads == COUNTED[name]


@pytest.mark.parametrize(
    ("name", "kind", "subject"),
    [
        ("tmpl", "Deployment", "web"),
        ("template-parameters", "DaemonSet", "node-agent"),
        ("crd-Rollout", "Rollout", "a"),
        ("crd-Service", "Service", "a"),
    ],
)
def test_a_finding_names_the_workload_with_its_parameters_filled_in(
    podward: Podward, name: str, kind: str, subject: str
) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"), "--level", "baseline")
    subjects = {(each["subject"]["kind"], each["subject"]["name"]) for each in checked.findings("pss/")}
    assert subjects == {(kind, subject)}


def test_parameters_without_a_default_are_no_fault_of_the_template(podward: Podward) -> None:
    checked = Checked(podward, case("manifests/template-parameters.yaml"), "--level", "privileged")
    assert (checked.code, checked.errors) == (0, set())


def test_a_template_without_a_fault_passes(podward: Podward) -> None:
    good = text_of("manifests/tmpl.yaml").replace("        hostNetwork: true\n", "").replace("privileged: true", "")
    checked = Checked(podward, "-", "--level", "baseline", stdin=good)
    assert (checked.code, checked.workloads) == (0, 1)


@pytest.mark.parametrize("command", ["explain", "admit"])
def test_other_commands_find_them_too(podward: Podward, command: str) -> None:
    words = ("--cluster", "kubernetes", "-f", case("manifests/tmpl.yaml"))
    done = podward(command, *words)
    assert done.returncode == 0, done.stderr
    assert ("Pod default/web (of Deployment)" if command == "explain" else "name: web") in done.stdout


def test_an_unknown_kind_that_embeds_containers_is_told(podward: Podward) -> None:
    beside = Checked(podward, case("manifests/unknown-embedding.yaml"), case("hostile/clean.yaml"))
    (finding,) = beside.about("CloneSet")
    assert (finding["severity"], finding["line"]) == ("note", 2)
    assert beside.errors == set()


def test_a_gate_that_judged_nothing_else_does_not_pass(podward: Podward) -> None:
    words = (case("manifests/unknown-embedding.yaml"),)
    assert Checked(podward, *words).code == 2
    assert Checked(podward, *words, "--allow-empty").code == 0


def test_an_unknown_kind_without_containers_is_nobodys_business(podward: Podward) -> None:
    checked = Checked(podward, case("manifests/unknown-plain.yaml"), case("hostile/clean.yaml"))
    assert (checked.code, checked.report["findings"]) == (0, [])


ITEMS = ("hostile/items-of-any-kind.yaml", "hostile/items-nested.yaml")


@pytest.mark.parametrize("name", ITEMS)
def test_any_object_with_items_is_a_list(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(name), "--level", "baseline")
    assert (checked.code, checked.workloads) == (1, 1)
    assert checked.errors == {"pss/hostNamespaces", "pss/privileged"}
    assert {each["subject"]["name"] for each in checked.findings("pss/")} == {"evil"}


@pytest.mark.parametrize("name", ITEMS)
def test_the_other_commands_read_its_items_as_well(podward: Podward, name: str) -> None:
    done = podward("admit", "--cluster", "kubernetes", "-f", case(name))
    assert done.returncode == 0, done.stderr
    assert "name: evil" in done.stdout
    told = podward("explain", "-f", case(name))
    assert "Pod default/evil" in told.stdout
