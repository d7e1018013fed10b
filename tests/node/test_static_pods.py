"""Files of static Pods: one that is wrong is told of, and keeps no other from running."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from podward.client.informer import Informer
from podward.documents.raw_fields import member
from podward.node.context import NodeContext
from podward.node.static_pods import StaticPods


class _Log:
    def __init__(self) -> None:
        self.said: list[str] = []

    def failed(self, what: str) -> None:
        self.said.append(what)


class _Options:
    name = "n1"

    def __init__(self, directory: Path) -> None:
        self.manifest_path = str(directory)


class _Context:
    def __init__(self, directory: Path) -> None:
        self.options, self.log = _Options(directory), _Log()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("metadata: {name: p, annotations: {x: true}}", "couldn't parse as pod: Expected `str | null`, got `bool`"),
        ("metadata: {name: p, labels: {x: '!'}}", "invalid pod: metadata.labels"),
        ("metadata: {}", "invalid pod: name is needed for the pod"),
    ],
)
def test_a_file_that_is_wrong_is_told_of_and_the_others_are_read(tmp_path: Path, wrong: str, said: str) -> None:
    written = "apiVersion: v1\nkind: Pod\n{}\nspec: {{containers: [{{name: c, image: i}}]}}\n"
    (tmp_path / "bad.yaml").write_text(written.format(wrong))
    (tmp_path / "good.yaml").write_text(written.format("metadata: {name: good}"))
    context = _Context(tmp_path)
    pods = StaticPods(cast("NodeContext", context), cast("Informer", None), dict)
    (found,) = pods.read().values()
    assert member(found, "metadata")["name"] == "good-n1"
    (complaint,) = context.log.said
    assert complaint.startswith(f"static Pod bad.yaml: {said}")
    assert len(pods.read()) == 1
    assert len(context.log.said) == 1
