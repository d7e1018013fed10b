"""Files that are templates of Helm, no manifests yet.

Specification: Helm 3. A template is text with actions in double braces, of Go's text/template: they speak of `.Values`,
`.Release`, `.Chart` and such, or call functions that only Helm has (`include`, `tpl`, `toYaml`). Where the text is no
YAML for these braces, any action that steers (`if`, `range`, `with`, `{{-`) tells as much. Where it is YAML, only what
says what the object is and what it runs counts: the data of a ConfigMap, or an argument of a program that has templates
of its own (`--format={{ .Name }}`), are strings like others.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from podward.errors import TemplateError
from podward.path import Path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import Json
    from podward.documents.reader import Reading

_HELM = pattern(
    r"\{\{-?[^{}]{0,300}?(?:[.$]Values\b|[.$](?:Release|Chart|Capabilities|Files|Template)\.|\b(?:include|tpl) )"
)
_STEERING = pattern(
    r"\{\{-|-\}\}|\{\{\s*(?:if|else|end|range|with|block|define|template|include|tpl|toYaml|required|lookup)\b"
)
_DATA = frozenset(("annotations", "data", "stringData", "binaryData"))
"""Fields whose strings are texts of somebody else's."""


def template_in(content: bytes, reading: Reading, name: str) -> TemplateError | None:
    """The error of a file that is a template of Helm; None for every other."""
    if b"{{" not in content:
        return None
    text = content.decode(errors="replace")
    if reading.errors:
        found = _HELM.search(text) or _STEERING.search(text)
        return None if found is None else _error(f"{name}:{text.count(chr(10), 0, found.start()) + 1}")
    if _HELM.search(text) is None:
        return None
    for document in reading.documents:
        for place in _actions(document.raw, Path()):
            return _error(document.where(place))
    return None


def rendering(chart: str) -> str:
    """What to do about the templates of a chart."""
    return f"render the chart first: helm template {chart} | podward check -"


def _error(where: str) -> TemplateError:
    return TemplateError("a template of Helm is no manifest", where=where, advice=rendering("CHART"))


def _actions(value: Json, at: Path) -> Iterator[Path]:
    """The places of strings that have an action of Helm."""
    if isinstance(value, str):
        if "{{" in value and _HELM.search(value):
            yield at
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _actions(item, at / index)
    elif isinstance(value, dict):
        for field, item in value.items():
            if field not in _DATA:
                yield from _actions(item, at / field)
