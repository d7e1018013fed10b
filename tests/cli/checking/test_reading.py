"""One file, read: good documents and bad ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.api.finding import Severity
from podward.cli.checking.reading import ManifestFile, parse_file, read_file

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: c, image: i}]}\n"
CUSTOM = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {securityContext: 7}\n"


def names(file: ManifestFile) -> list[tuple[str, int]]:
    return [(each.source.name, each.document) for each in file.workloads]


def told(file: ManifestFile) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in file.findings]


def test_a_bad_document_does_not_lose_the_good_ones() -> None:
    wrong = POD.replace("image: i", "imagee: i") % "wrong"
    file = parse_file(f"{POD % 'a'}---\n{wrong}---\n{POD % 'b'}".encode(), "f.yaml")
    assert names(file) == [("a", 0), ("b", 2)]
    assert told(file) == [("input/schema", 9)]


def test_custom_resources_are_passed_over_and_other_objects_are_facts() -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n"
    file = parse_file(f"{CUSTOM}---\n{namespace}---\n{POD % 'a'}".encode(), "f.yaml")
    assert (names(file), [item.name for item in file.policies], file.findings) == ([("a", 2)], ["team"], ())


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"kind: Pod\nspec: [\n", "input/syntax"),
        (b"\xff\xff", "input/syntax"),
        (b"a: 1\na: 2\n", "input/syntax"),
        (b"a: " + b"[" * 20000, "input/limits"),
        (b"[1, 2]\n", "input/other"),
        (b"a: 1\n", "input/other"),
        (b"apiVersion: v2\nname: chart\n", "input/other"),
        (b"apiVersion: v1\nmetadata: {name: a}\n", "input/schema"),
        (b"apiVersion: v2\nkind: Pod\n", "input/kind"),
    ],
)
def test_what_is_no_manifest_is_a_finding(content: bytes, rule: str) -> None:
    file = parse_file(content, "f.yaml")
    assert [finding.rule for finding in file.findings] == [rule]
    assert file.workloads == ()


@pytest.mark.parametrize("content", [b"", b"\n", b"---\n", b"# nothing\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_nothing(content: bytes) -> None:
    assert parse_file(content, "f.yaml") == ManifestFile("f.yaml", (), (), (), ())


def test_what_cannot_be_opened_is_a_finding(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("none.yaml", "No such file"), (".", "Is a directory"), ("a\0b", "not a file name")):
        file = read_file(str(tmp_path / name) if "\0" not in name else name)
        (finding,) = file.findings
        assert (finding.rule, finding.line) == ("input/reading", 1)
        assert what in finding.message


def test_waivers_are_read_from_the_workload_and_its_template() -> None:
    waive = "{check.podward.dev/waive: 'pss/%s until 2999-01-01: x'}"
    text = (
        f"apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: j, annotations: {waive % 'sysctls'}}}\nspec:\n"
        f"  schedule: '@daily'\n  jobTemplate:\n    metadata: {{annotations: {waive % 'procMount'}}}\n    spec:\n"
        f"      template:\n        metadata: {{annotations: {waive % 'hostPorts'}}}\n"
        "        spec: {restartPolicy: Never, containers: [{name: c, image: i}]}\n"
    )
    file = parse_file(text.encode(), "f.yaml")
    assert [(each.waiver.rule, each.waiver.line) for each in file.waivers] == [
        ("pss/sysctls", 3),
        ("pss/hostPorts", 10),
    ]


def test_in_a_list_a_waiver_is_about_its_own_item() -> None:
    item = "- apiVersion: v1\n  kind: Pod\n  metadata: {name: %s%s}\n  spec: {containers: [{name: c, image: i}]}\n"
    waived = ", annotations: {check.podward.dev/waive: 'pss until 2999-01-01: x'}"
    file = parse_file(
        f"apiVersion: v1\nkind: List\nitems:\n{item % ('a', waived)}{item % ('b', '')}".encode(), "f.yaml"
    )
    assert [(each.where.subject.name, each.waiver.line) for each in file.waivers] == [("a", 6)]  # type: ignore[union-attr]


LISTED = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: team}
- apiVersion: v1
  kind: Pod
  metadata: {name: bad}
  spec: {containres: []}
- {}
- apiVersion: v1
  kind: Pod
  metadata: {name: good}
  spec: {containers: [{name: app, image: a}]}
- just a word
- apiVersion: apps/v2
  kind: Deployment
  metadata: {name: old}
"""


def test_a_bad_item_of_a_list_does_not_lose_the_others() -> None:
    file = parse_file(LISTED.encode(), "list.yaml")
    assert [(one.subject.name, str(one.source.prefix)) for one in file.workloads] == [("good", "items[3]")]
    assert [item.name for item in file.policies] == ["team"]
    assert [(each.rule, each.line) for each in file.findings] == [
        ("input/schema", 10),
        ("input/schema", 11),
        ("input/schema", 16),
        ("input/kind", 17),
    ]


def test_a_list_that_is_wrong_itself_is_one_finding() -> None:
    file = parse_file(LISTED.replace("items:", "whose: me\nitems:").encode(), "list.yaml")
    assert (file.workloads, file.policies) == ((), ())
    assert len(file.findings) == 1


def test_a_patch_of_a_workflow_that_could_not_be_applied_is_an_error_at_its_line() -> None:
    workflow = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n"
        "  - container: {image: i}\n    podSpecPatch: 'hostNetwork: %s'\n"
    )
    file = parse_file((workflow % "{{workflow.parameters.x}}").encode(), "f.yaml")
    assert told(file) == [("input/pod-spec-patch", 7)]
    assert [finding.severity for finding in file.findings] == [Severity.ERROR]
    assert told(parse_file((workflow % "true").encode(), "f.yaml")) == []


CONTAINERS = "containers: [{name: a, image: b}]"


@pytest.mark.parametrize(
    ("spec", "rules"),
    [
        (f"{{template: {{spec: {{{CONTAINERS}}}}}}}", []),
        ("{workloadRef: {kind: Deployment, name: web}}", []),
        (f"{{template: [{{spec: {{{CONTAINERS}}}}}]}}", ["input/unknown-kind"]),
    ],
)
def test_containers_at_another_place_than_the_kind_has_them_are_told(spec: str, rules: list[str]) -> None:
    text = f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: a}}\nspec: {spec}\n"
    assert [finding.rule for finding in parse_file(text.encode(), "x.yaml").findings] == rules


def test_a_workflow_with_containers_where_it_has_none_is_told() -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec: {templates: %s}\n"
    template = "{name: a, container: {image: b}}"
    assert parse_file((text % f"[{template}]").encode(), "x.yaml").findings == ()
    file = parse_file((text % template).encode(), "x.yaml")
    assert [finding.rule for finding in file.findings] == ["input/unknown-kind"]


def test_a_bad_item_of_any_list_is_told_by_itself() -> None:
    template = f"{{template: {{spec: {{{CONTAINERS}}}}}}}"
    text = f"""apiVersion: argoproj.io/v1alpha1
kind: Rollout
items:
- {{metadata: {{name: a}}, spec: {template}}}
- {{metadata: {{name: b}}, spec: {template.replace("image", "imag")}}}
- {{kind: Rollout, metadata: {{name: b}}, spec: {template}}}
"""
    file = parse_file(text.encode(), "x.yaml")
    assert [workload.source.name for workload in file.workloads] == ["a"]
    assert [(finding.line, finding.message) for finding in file.findings] == [
        (5, 'unknown field "spec.containers[0].imag"'),
        (6, "apiVersion not set"),
    ]


def test_what_an_object_lists_is_not_told_as_its_own() -> None:
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{{CONTAINERS}}}}}"
    text = "apiVersion: example.org/v1\nkind: Bundle\nmetadata: {name: a}\n%sitems: [" + pod + "]\n"
    file = parse_file((text % "").encode(), "x.yaml")
    assert (len(file.workloads), file.findings) == (1, ())
    file = parse_file((text % f"spec: {{{CONTAINERS}}}\n").encode(), "x.yaml")
    assert [finding.rule for finding in file.findings] == ["input/unknown-kind"]
