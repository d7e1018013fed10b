"""A `podSpecPatch` of Argo's workflows: what it says, or why that is not known, and the Pod that it makes.

Specification: Argo Workflows v3, workflow/util ApplyPodSpecPatch: the text is JSON or YAML, and a strategic merge patch
of the Pod's spec (Kubernetes, apimachinery strategicpatch; `patchMergeKey` of k8s.io/api core/v1): objects are merged,
null removes a field, lists whose items have a merge key are merged item by item, other lists are replaced. New items
stand behind the others here. A text with an expression of Argo (`{{…}}`) is not known before the workflow runs, and the
value that is put in may be any text: such a patch is not applied, nor one with directives of such patches (`$patch`),
nor one that is no Pod's spec. Go takes field names in any case, so a name that a Pod lacks may mean another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.documents.document import Document
from podward.documents.raw_fields import member, objects
from podward.documents.reader import read_all
from podward.path import Key, Path
from podward.schema.strict import mistakes
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines

_OF_CONTAINER = {"ports": "containerPort", "env": "name", "volumeMounts": "mountPath", "volumeDevices": "devicePath"}
_MERGE_KEYS = {
    "PodSpec": {
        "containers": "name",
        "initContainers": "name",
        "ephemeralContainers": "name",
        "volumes": "name",
        "imagePullSecrets": "name",
        "hostAliases": "ip",
        "topologySpreadConstraints": "topologyKey",
        "schedulingGates": "name",
        "resourceClaims": "name",
    },
    "Container": _OF_CONTAINER,
    "EphemeralContainer": _OF_CONTAINER,
}
"""The lists that are merged, by the type that they are in, with the field that tells their items apart."""
_NAME = "podSpecPatch"


class PodSpecPatch(Struct, frozen=True):
    """A patch that stands at `at` of the document: what it says, or `unknown`, why it can't be applied.

    `size` is the number of its values.
    """

    at: Path
    spec: JsonObject
    unknown: str = ""
    size: int = 1

    def names(self, field: str) -> frozenset[str]:
        """The names of the items of a list that it changes."""
        return frozenset(str(item.get("name")) for item in objects(self.spec, field))

    def makes_privileged(self, field: str, name: str) -> bool:
        """Whether it makes a container of this list privileged."""
        named = (item for item in objects(self.spec, field) if item.get("name") == name)
        return any(member(item, "securityContext").get("privileged") is True for item in named)


def read(text: Json, at: Path) -> PodSpecPatch:
    """The patch of this text, which stands at `at`."""
    if not isinstance(text, str):
        return PodSpecPatch(at, {}, "it is no text")
    if "{{" in text:
        return PodSpecPatch(at, {}, "it has an expression, whose value is not known before the workflow runs")
    reading = read_all(text.encode(errors="replace"), _NAME)
    if reading.errors:
        return PodSpecPatch(at, {}, f"it can't be read: {reading.errors[0].what}")
    if len(reading.documents) != 1:
        return PodSpecPatch(at, {}, f"it holds {len(reading.documents)} documents instead of one")
    spec = reading.documents[0].raw
    wrong = mistakes(Document(_NAME, {"apiVersion": "v1", "kind": "Pod", "spec": spec}))
    if wrong:
        return PodSpecPatch(at, {}, f"it is no patch of a Pod's spec: {wrong[0].what}")
    return PodSpecPatch(at, spec, _unfit(spec, "PodSpec"), _size(spec))


def _unfit(patch: JsonObject, kind: str) -> str:
    """Why an object of this type can't be merged; empty where it can."""
    for name, value in patch.items():
        if name.startswith("$"):
            return f"{name} is a directive, which is not followed here"
        code = TYPES.get(kind, {}).get(name, "")
        key = _MERGE_KEYS.get(kind, {}).get(name)
        items = value if isinstance(value, list) else (value,)
        for item in items:
            if key is not None and isinstance(value, list) and not (isinstance(item, dict) and item.get(key)):
                return f"an item of {name} has no {key}"
            why = _unfit(item, code.lstrip("[")) if isinstance(item, dict) else ""
            if why:
                return why
    return ""


def _size(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


class Patched(Struct, frozen=True):
    """A Pod that patches were applied to, and for each place that they set, where that is written.

    Within a patch there are no lines: it is one text, and its places are told as those of the Pod's spec.
    """

    pod: Document
    origins: tuple[tuple[Path, Path], ...]


def patched(pod: Document, patches: Iterable[PodSpecPatch], around: Document, at: Path) -> Patched:
    """Apply these patches one after the other, but for those that can't be.

    They are of the object at `at` of the document `around`, whose lines they have.
    """
    raw, origins = pod.raw, []
    line, lines = pod.inside(Path())
    for patch in patches:
        if patch.unknown:
            continue
        merging = _Merging(around.inside(at + patch.at)[0])
        raw, lines = merging.object(raw, lines, {"spec": patch.spec}, "Pod", Path())
        origins += [(place, patch.at + Path(place.segments[1:])) for place in merging.places]
    return Patched(Document(pod.name, raw, line, lines), tuple(origins))


class _Merging:
    """The merging of one patch, which stands on a `line`; `places` are those of the Pod that it has set."""

    def __init__(self, line: int) -> None:
        self._line = line
        self.places: list[Path] = []

    def object(
        self, value: JsonObject, lines: Lines, patch: JsonObject, kind: str, at: Path
    ) -> tuple[JsonObject, Lines]:
        """The merged object with its lines; `kind` is its type."""
        merged, own = dict(value), dict(lines)
        types = TYPES.get(kind)
        for name, item in patch.items():
            code = types.get(name, "") if types is not None else ""
            place = at / (name if types is not None else Key(name))
            before, entry = merged.get(name), own.get(name)
            line, inside = entry if isinstance(entry, tuple) else (entry or self._line, {})
            key = _MERGE_KEYS.get(kind, {}).get(name)
            if isinstance(item, dict) and isinstance(before, dict):
                merged[name], below = self.object(before, inside, item, code, place)
                own[name] = (line, below)
            elif isinstance(item, list) and isinstance(before, list) and key is not None:
                merged[name], below = self._items(before, inside, item, (key, code[1:]), place)
                own[name] = (line, below)
            else:
                merged[name] = item
                own[name] = (self._line, {}) if isinstance(item, dict | list) else self._line
                self.places.append(place)
                if item is None:
                    del merged[name]
        return merged, own

    def _items(
        self, value: Sequence[Json], lines: Lines, patch: Sequence[Json], by: tuple[str, str], at: Path
    ) -> tuple[list[Json], Lines]:
        """The merged list; `by` is the field that tells its items apart, and their type."""
        key, kind = by
        merged, own = list(value), dict(lines)
        known: dict[Json, int] = {}
        for index, item in enumerate(merged):
            if isinstance(item, dict) and isinstance(item.get(key), str | int):
                known.setdefault(item[key], index)
        for item in patch:
            if not isinstance(item, dict):
                continue
            index = known.setdefault(item[key], len(merged))
            before = merged[index] if index < len(merged) else None
            if isinstance(before, dict):
                entry = own.get(index)
                line, inside = entry if isinstance(entry, tuple) else (entry or self._line, {})
                changed = {name: each for name, each in item.items() if name != key}
                merged[index], below = self.object(before, inside, changed, kind, at / index)
                own[index] = (line, below)
            else:
                merged.append(item)
                own[index] = (self._line, {})
                self.places.append(at / index)
        return merged, own
