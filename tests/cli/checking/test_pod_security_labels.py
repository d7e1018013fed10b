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
    assert "ns.yaml:4  error  input/schema  Namespace shop: " in said  # of policies, the place of the name
    assert f"metadata.labels[pod-security.kubernetes.io/{label.partition(':')[0]}]: Invalid value" in said


def test_a_diff_of_fixes_tells_what_could_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_text(POD.replace("image: x", "image: true"))
    (tmp_path / "good.yaml").write_text(POD)
    assert main(["check", str(tmp_path), "--no-cache", "--fix", "--diff"]) == 2
    said = capsys.readouterr()
    assert "good.yaml" in said.out
    assert "bad.yaml:4: input/schema: spec.containers[0].image: expected a string, found true" in said.err
