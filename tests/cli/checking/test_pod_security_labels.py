"""Labels of a Namespace that name no standard."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.cli.main import main

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {containers: [{name: a, image: x}]}\n"
NAMESPACE = (
    "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n    pod-security.kubernetes.io/LABEL\n"
)


@pytest.mark.parametrize("label", ["enforce: Restricted", "audit: none", "warn-version: '1.30'"])
def test_a_label_that_a_cluster_refuses_is_told(label: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("ns.yaml", NAMESPACE.replace("LABEL", label)), ("pod.yaml", POD)):
        (tmp_path / name).write_text(text)
    assert main(["check", str(tmp_path), "--no-cache", "--select", "input"]) == 2
    said = capsys.readouterr().out
    assert "ns.yaml:6  error  input/schema  Namespace shop: " in said
    assert f"metadata.labels[pod-security.kubernetes.io/{label.partition(':')[0]}]: Invalid value" in said


@pytest.mark.parametrize(("label", "code"), [("enforce: bogus", 2), ("enforce: privileged", 0)])
def test_a_namespace_with_such_a_label_is_held_to_restricted_as_one_that_is_there(
    label: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ns.yaml").write_text(NAMESPACE.replace("LABEL", label))
    (tmp_path / "pod.yaml").write_text(POD)
    assert main(["check", str(tmp_path), "--no-cache", "--select", "pss", "--select", "input"]) == code
    assert ("restricted:latest" in capsys.readouterr().out) is (code == 2)


def test_such_a_namespace_is_no_policy_to_check_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, pod = tmp_path / "ns.yaml", tmp_path / "pod.yaml"
    policy.write_text(NAMESPACE.replace("LABEL", "enforce: bogus"))
    pod.write_text(POD)
    assert main(["check", str(pod), "--no-cache", "--policy-from", str(policy)]) == 2
    assert "ns.yaml:6" in capsys.readouterr().err


def test_a_diff_of_fixes_tells_what_could_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_text(POD.replace("image: x", "image: true"))
    (tmp_path / "good.yaml").write_text(POD)
    assert main(["check", str(tmp_path), "--no-cache", "--fix", "--diff"]) == 2
    said = capsys.readouterr()
    assert "good.yaml" in said.out
    assert "bad.yaml:4: input/schema: spec.containers[0].image: expected a string, found true" in said.err
