"""Which other files of the input decide about the Pods of one."""

from __future__ import annotations

from pathlib import Path

from podward.cli.companions import Companions, companions, typed
from podward.cli.given_pods import every_pod

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: a}]}\n"
FILES = {
    "ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    "pod.yaml": POD,
    "pod-secret.yaml": f"{POD}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n",
    "secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
    "service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
}


def test_files_with_objects_and_policies_are_told_apart_by_whether_they_have_pods(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def of(*names: str) -> tuple[str, ...]:
        return tuple(f"{tmp_path}/{name}" for name in names)

    given, alone = every_pod([str(tmp_path)]), every_pod([*of("pod-secret.yaml")])
    found = companions(given.documents, given.pods)
    assert found == Companions(of("ns.yaml", "secret.yaml"), of("ns.yaml"), of("pod-secret.yaml"))
    assert companions(alone.documents, alone.pods) == Companions()


def test_standard_input_is_typed_as_a_dash() -> None:
    assert (typed("<stdin>"), typed("a.yaml")) == ("-", "a.yaml")
