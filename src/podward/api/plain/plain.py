"""Whether a document is a plain workload, and what is to be known of it then.

Specification: for every document that is plain, `workload.pod_sources` gives exactly one Pod, and what `defaulting`
makes of that has nothing against it in `validation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, ValidationError, convert

from podward.api.json_value import JsonObject
from podward.api.plain import workloads
from podward.api.plain.meta import PlainMeta, as_written, is_meta
from podward.api.plain.pod import PlainSpec, is_sound
from podward.api.schema_fit import fits
from podward.api.validation.names import label_faults, subdomain_faults
from podward.api.workload import pod_name
from podward.path import Path

_NO_CLAIMS: frozenset[str] = frozenset()
_HERE = Path()


class Plain(Struct, frozen=True, gc=False):
    """A plain workload: its kind, name and namespace (empty where it names none), and its Pod's spec.

    `metadata` are those of the objects from the workload down to the Pod's template; `at` is the workload's place in
    its document.
    """

    kind: str
    name: str
    namespace: str
    spec: PlainSpec
    metadata: tuple[PlainMeta | None, ...]
    at: Path = _HERE

    @property
    def says_namespace(self) -> bool:
        """Whether the workload, or its template, names a namespace."""
        return any(each is not None and each.namespace for each in self.metadata)


def plain(raw: JsonObject, at: Path = _HERE) -> Plain | None:
    """The plain workload that the object is; None for every other, be it sound or not.

    `at` is its place, in a document that holds several.
    """
    kind = raw.get("kind")
    if type(kind) is not str or kind not in _INSIDE:
        return None
    as_type, inside = _INSIDE[kind]
    try:
        found = convert(raw, as_type)
    except ValidationError:
        # Every type of a workload is called as its kind is.
        written = as_written(raw, kind, kind)
        if written is None:
            return None
        try:
            found = convert(written, as_type)
        except ValidationError:
            return None
    metadata = found.metadata
    namespace = metadata.namespace
    name = metadata.name or (pod_name(raw["metadata"]) if metadata.name is None else "")
    ...
