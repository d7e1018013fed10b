"""Which files are patches, and what is said about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.cli.checking.files import search
from podward.cli.checking.kustomize import patches_of
from podward.cli.checking.reading import ManifestFile, as_patch, parse_file

KUSTOMIZATION = """\
resources: [whole.yaml]
patches:
- path: half.yaml
- {path: patches/deep.yaml, target: {kind: Deployment}}
- patch: "- op: remove"
patchesStrategicMerge: [old.yaml, "kind: A\\n"]
patchesJson6902: [{path: ../six.yaml}]
"""
POD = "containers: [{name: a, image: b}]"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {%stemplate: {spec: {%s}}}\n"


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("k/whole", "k/half", "k/patches/deep", "k/old", "six", "other"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.yaml").touch()
    (tmp_path / "k/kustomization.yml").write_text(KUSTOMIZATION, encoding="ascii")
    monkeypatch.chdir(tmp_path)


def patches(*paths: str) -> list[str]:
    return list(patches_of(search(paths, ()), paths))


def test_a_patch_is_what_a_kustomization_lists_as_one() -> None:
    assert patches(".") == ["six.yaml", "k/half.yaml", "k/old.yaml", "k/patches/deep.yaml"]


def test_for_named_files_the_directories_above_are_looked_at() -> None:
    named = ("k/half.yaml", "k/whole.yaml", "k/patches/deep.yaml", "other.yaml", "-")
    assert patches(*named) == ["k/half.yaml", "k/patches/deep.yaml"]
    assert patches("k/patches") == ["k/patches/deep.yaml"]


def read(text: str) -> ManifestFile:
    return as_patch(parse_file(text.encode(), "f.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        DEPLOYMENT % ("replicas: 2, ", "containers: [{name: a}]"),
        DEPLOYMENT % ("", POD),
        DEPLOYMENT % ("$patch: replace, ", POD),
        "- {op: add, path: /spec/x, value: 1}\n",
    ],
)
def test_half_an_object_is_a_note(text: str) -> None:
    file = read(text)
    assert (file.workloads, [(each.rule, each.severity.value) for each in file.findings]) == (
        (),
        [("input/kustomize", "note")],
    )


def test_a_whole_workload_is_judged_whoever_lists_it() -> None:
    whole = DEPLOYMENT % ("selector: {matchLabels: {a: b}}, ", POD)
    assert [each.subject.name for each in read(whole).workloads] == ["d"]
    assert read(whole).findings == ()
    both = read(f"{whole}---\n{DEPLOYMENT % ('', POD)}")
    assert (len(both.workloads), len(both.findings)) == (1, 1)
