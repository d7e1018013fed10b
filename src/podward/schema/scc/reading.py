"""Reading SCCs from documents, strictly: what OpenShift would store, or an error that says where and what to do.

Specification: OpenShift's API server with strict field validation (`podward.schema.strict`), its defaulting
(`scc_defaults`) and its validation (`validation.scc`). Two things are refused that a server takes:
- `runAsUser` with a range whose first uid is above its last one, which no Pod can satisfy;
- `runAsGroup` other than RunAsAny. The field is newer than the SCC admission that Podward follows, which does not look
  at it. RunAsAny restricts nothing, and is what a newer cluster writes into every SCC; a restriction that is not kept
  would be a promise that is not true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.scc import IDRange, SecurityContextConstraints
from podward.decision import Violation
from podward.documents.raw_fields import member
from podward.errors import InputError
from podward.path import path
from podward.schema.scc import validation
from podward.schema.scc.defaults import EVERY_VOLUME, NO_VOLUME, VOLUME_TYPES, defaulted
from podward.schema.view import typed_view

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.schema.objects import Item

KIND = "SecurityContextConstraints"
API_VERSION = "security.openshift.io/v1"

_WORDS = {
    "runAsUser.type": validation.USER_TYPES,
    "seLinuxContext.type": validation.LABEL_TYPES,
    "fsGroup.type": validation.GROUP_TYPES,
    "supplementalGroups.type": validation.GROUP_TYPES,
    "userNamespaceLevel": validation.USER_NAMESPACE_LEVELS,
}
"""The words that a field knows."""


class SccSource(Struct, frozen=True):
    """An SCC and where it was written; `raw` and `view` are as OpenShift stores it, after defaulting."""

    item: Item
    raw: JsonObject
    view: SecurityContextConstraints

    @property
    def name(self) -> str:
        """The SCC's name."""
        return self.view.metadata.name or ""


def scc_view(raw: JsonObject) -> SecurityContextConstraints:
    """The SCC `raw` as typed objects; `podward.schema.strict` must have found nothing in it."""
    return typed_view(raw, SecurityContextConstraints, KIND)


def scc_source(item: Item) -> SccSource:
    """The SCC that `item` is; `podward.schema.strict` must have found nothing in its document.

    Raises InputError, naming every field with its line, for what OpenShift would not store.
    """
    raw = defaulted(item.raw)
    member(raw, "metadata").pop("namespace", None)  # a server takes it off whatever is in no namespace
    source = SccSource(item, raw, scc_view(raw))
    if not source.name:
        where = item.where(path("metadata", "name"))
        raise InputError("metadata.name: Required value: an SCC is known by its name", where=where)
    _require_valid(source)
    _require_order(source)
    _require_no_group(source)
    return source


def warnings(source: SccSource) -> tuple[str, ...]:
    """What OpenShift stores without a word and what nobody can have meant, each with its line."""
    known = {*VOLUME_TYPES, EVERY_VOLUME, NO_VOLUME}
    found = []
    for name in source.view.volumes or ():
        if name not in known:
            place = path("volumes")
            written = source.item.raw.get("volumes")
            if isinstance(written, list) and name in written:
                place /= written.index(name)
            advice = _similar(name, (*VOLUME_TYPES, NO_VOLUME)) or "it allows nothing"
            found.append(f'{source.item.where(place)}: {place}: there is no type of volume "{name}": {advice}')
    return tuple(found)


def _require_valid(source: SccSource) -> None:
    violations = validation.validate(source.view).violations
    if not violations:
        return
    first = violations[0]
    what = f'{KIND} "{source.name}" is invalid'
    if len(violations) == 1:
        what += f": {first.path}: {first.reason}"
    else:
        what += "".join(f"\n  {source.item.where(v.path)}: {v.path}: {v.reason}" for v in violations)
    raise InputError(what, where=source.item.where(first.path), advice=_advice(first))


def _advice(violation: Violation) -> str:
    if isinstance(violation.value, IDRange):
        return "exchange min and max"
    return _similar(violation.value, _WORDS.get(str(violation.path), ())) if isinstance(violation.value, str) else ""


def _similar(word: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = [name for name in known if name.lower() == word.lower()] or get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else ""


def _require_order(source: SccSource) -> None:
    user = source.view.run_as_user
    first, last = user.uid_range_min, user.uid_range_max
    if first is None or last is None or first <= last:
        return
    place = path("runAsUser", "uidRangeMin")
    raise InputError(
        f'{KIND} "{source.name}": {place}: {first} is above uidRangeMax, {last}: no uid is in this range',
        where=source.item.where(place),
        advice="exchange uidRangeMin and uidRangeMax",
    )


def _require_no_group(source: SccSource) -> None:
    kind = member(source.raw, "runAsGroup").get("type")
    if not kind or kind == "RunAsAny":
        return
    place = path("runAsGroup", "type")
    raise InputError(
        f'{KIND} "{source.name}": {place}: {kind} is not kept: the admission that Podward follows knows no runAsGroup',
        where=source.item.where(place),
        advice="remove runAsGroup, or write type: RunAsAny",
    )
