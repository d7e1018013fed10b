"""Which files are templates of Helm."""

from __future__ import annotations

import pytest

from podward.documents.helm import template_in
from podward.documents.reader import read_all

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: b}\n"


def where(text: str) -> str | None:
    content = text.encode()
    error = template_in(content, read_all(content, "f.yaml"), "f.yaml")
    return None if error is None else error.where


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b\nreplicas: {{ .Values.replicas }}\n", 2),
        ("{{- if .Values.x }}\na: b\n{{- end }}\n", 1),
        ("a: b\n{{ range $k, $v := $.Values.x }}\n{{ end }}\n", 2),
        ("a:\n  {{- toYaml . | nindent 4 }}\n", 2),
        ('name: {{ include "x.name" . }}\n', 1),
        ("{{ if x }}\n", 1),
        (POD + "---\nname: {{ .Release.Name }}\n", 8),
        (POD.replace("{name: a}", '{name: "{{ .Release.Name }}"}'), 3),
        (POD.replace("image: b", "image: '{{ $.Values.image }}'"), 6),
    ],
)
def test_a_template_is_known_by_its_actions(text: str, line: int) -> None:
    assert where(text) == f"f.yaml:{line}"


@pytest.mark.parametrize(
    "text",
    [
        POD,
        POD.replace("image: b", "image: b, args: ['--format={{ .Name }}', '{{inputs.parameters.x}}']"),
        POD.replace("image: b", "image: '{{image}}'"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  t: |\n    {{ .Values.x }}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {a: '{{ include \"b\" . }}'}}\n",
        "name: {{ jinja }}\n",
        "a: [\n",
        "{" * 1000,
        "{{ " * 20_000,
    ],
)
def test_other_braces_are_what_they_are(text: str) -> None:
    assert where(text) is None
