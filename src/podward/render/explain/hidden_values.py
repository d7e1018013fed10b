"""Leaving the values of environment variables, Secrets and ConfigMaps out of an explanation, and out of texts it shows.

What is explained is who decided, and where; a value may be a password. Left out are the values of variables that the
Pod or its image gives, words of `command` and `args` into which a variable was put (they stand as they are written, in
sentences too), text of files of the downward API; and in the text of a manifest the values of `env`, the data of
Secrets and ConfigMaps, and the copy of it all that `kubectl apply` leaves in an annotation.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from podward.api.content import FieldContent
from podward.api.cri import KeyValue
from podward.api.explanation import ContainerExplanation, PodExplanation, Stage
from podward.decision import Assignment, Decision, Origin, Value
from podward.path import Key, Path
from podward.policy.kubelet.volume_files import VolumeFile
from podward.render.written_words import HIDDEN, as_written, with_written_words

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.document import Document
    from podward.documents.parsed_value import Lines

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OBJECTS = {"Secret": ("data", "stringData"), "ConfigMap": ("data", "binaryData")}


# --- of an explanation ------------------------------------------------------------------------------------------------


def without_values(pod: PodExplanation, document: Document) -> PodExplanation:
    """The explanation of a Pod that stands in the document, without these values."""
    return msgspec.structs.replace(
        pod,
        stages=tuple(Stage(stage.name, _mapped(stage.decision, {})) for stage in pod.stages),
        containers=tuple(_container(container, document) for container in pod.containers),
    )


def _container(container: ContainerExplanation, document: Document) -> ContainerExplanation:
    written = _at(document.raw, container.place)
    words: dict[str, str] = {}
    for stage in container.stages:
        for assignment in stage.decision.assignments if stage.name == "cri" else ():
            name = str(assignment.path.segments[0])
            if name in {"command", "args"} and isinstance(assignment.value, tuple):
                words |= as_written(assignment.value, written.get(name))
    stages = tuple(Stage(stage.name, _mapped(stage.decision, words)) for stage in container.stages)
    return msgspec.structs.replace(container, stages=stages)


def _mapped(decision: Decision, words: dict[str, str]) -> Decision:
    made = tuple(
        msgspec.structs.replace(a, value=_value(a, words), reason=with_written_words(a.reason, words))
        for a in decision.assignments
    )
    refused = tuple(
        msgspec.structs.replace(v, value=_word(v.value, words), reason=with_written_words(v.reason, words))
        for v in decision.violations
    )
    return Decision(made, refused)


def _word(value: Value, words: dict[str, str]) -> Value:
    return words.get(value, value) if isinstance(value, str) else value


def _value(assignment: Assignment, words: dict[str, str]) -> Value:
    value, steps = assignment.value, assignment.path.segments
    if isinstance(value, KeyValue):
        return KeyValue(value.key, HIDDEN)
    if isinstance(value, VolumeFile) and isinstance(value.content, FieldContent):
        return msgspec.structs.replace(value, content=FieldContent(HIDDEN))
    if steps[:2] == ("process", "env") and isinstance(value, str) and assignment.source.origin is not Origin.DEFAULT:
        return f"{value.partition('=')[0]}={HIDDEN}"
    if steps[-1] in {"command", "args"} and isinstance(value, tuple):
        return tuple(words.get(str(word), word) for word in value)
    return value


# --- of the text of a manifest ----------------------------------------------------------------------------------------


def text_without_values(text: str, documents: tuple[Document, ...]) -> str:
    """The text of a file without the values that stand in its documents."""
    lines = text.split("\n")
    starts = sorted({line for document in documents for line in _lines_of(document)} | {len(lines) + 1})
    for document in documents:
        for place, value in _values(document.raw, Path()):
            first = document.line_of(place)
            if first is not None and value not in (None, ""):
                _hide(lines, first - 1, starts[bisect_right(starts, first)] - 1, str(value))
    return "\n".join(lines)


def _hide(lines: list[str], first: int, after: int, value: str) -> None:
    """Hide the value in the lines from `first` to before `after`; whole lines where it is not written as it is."""
    if value in lines[first]:
        lines[first] = lines[first].replace(value, HIDDEN)
    else:
        key, colon, _ = lines[first].partition(":")
        lines[first] = f"{key}{colon} {HIDDEN}" if colon else HIDDEN
    for at in range(first + 1, after):
        line = lines[at]
        if line.strip() and not line.startswith("---"):
            lines[at] = line[: len(line) - len(line.lstrip())] + HIDDEN


def _lines_of(document: Document) -> Iterator[int]:
    line, inside = document.inside(Path())
    yield line
    yield from _every_line(inside)


def _every_line(lines: Lines) -> Iterator[int]:
    for entry in lines.values():
        if isinstance(entry, int):
            yield entry
        else:
            yield entry[0]
            yield from _every_line(entry[1])


def _values(found: Json, at: Path) -> Iterator[tuple[Path, Json]]:
    """The places of the values to hide."""
    if isinstance(found, dict):
        for field in _OBJECTS.get(str(found.get("kind")), ()):
            held = found.get(field)
            yield from ((at / field / key, each) for key, each in held.items()) if isinstance(held, dict) else ()
        for name, inner in found.items():
            if name == _APPLIED:
                yield at / Key(name), inner
            elif name == "env" and isinstance(inner, list):
                yield from _of_variables(inner, at / name)
            else:
                yield from _values(inner, at / name)
    elif isinstance(found, list):
        for index, item in enumerate(found):
            yield from _values(item, at / index)


def _of_variables(variables: list[Json], at: Path) -> Iterator[tuple[Path, Json]]:
    for index, variable in enumerate(variables):
        if isinstance(variable, dict) and "value" in variable:
            yield at / index / "value", variable["value"]


def _at(raw: JsonObject, place: Path) -> JsonObject:
    """The object at a place of a document; an empty one where there is none."""
    found: Json = raw
    for segment in place.segments:
        if isinstance(found, list) and isinstance(segment, int) and segment < len(found):
            found = found[segment]
        elif isinstance(found, dict):
            found = found.get(segment.name if isinstance(segment, Key) else str(segment))
        else:
            return {}
    return found if isinstance(found, dict) else {}
