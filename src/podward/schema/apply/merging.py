"""A live object with what was applied laid over it.

Specification: structured-merge-diff v6, typed Merge. Nothing is removed by it: an absent or empty granular map leaves
the live one as it is. Lists of items that are told apart stand in the order of the applied one as far as it goes;
items that only the live list has stay behind the items that they stood behind.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.types import ListType, MapType, Type, form, step_to


def merged(kind: Type, live: JsonObject, applied: JsonObject) -> JsonObject:
    """The object that applying makes of the live one; the two share what is unchanged."""
    found = _merged(kind, live, applied)
    return found if isinstance(found, dict) else {}


def _merged(kind: Type | None, live: Json, applied: Json) -> Json:
    found = form(kind, applied) if kind is not None else ""
    if isinstance(found, MapType) and not found.atomic:
        return _merged_map(found, live, applied)
    if isinstance(found, ListType) and not found.atomic:
        return _merged_list(found, live, applied)
    return applied


def _merged_map(kind: MapType, live: Json, applied: Json) -> Json:
    if not isinstance(live, dict) or not live:
        return applied
    if not isinstance(applied, dict) or not applied:
        return live
    out = dict(live)
    for name, item in applied.items():
        out[name] = _merged(kind.fields.get(name) or kind.element, live[name], item) if name in live else item
    return out


def _merged_list(kind: ListType, live: Json, applied: Json) -> Json:
    if not isinstance(live, list) or not live:
        return applied
    if not isinstance(applied, list) or not applied:
        return live
    return _Lists(kind, live, applied).merged()


class _Lists:
    """Two lists on their way to one; `at` and `done` are how far they have been walked."""

    def __init__(self, kind: ListType, live: list[Json], applied: list[Json]) -> None:
        self._item = kind.item
        self._live = [(step, item) for item in live if (step := step_to(kind, item))]
        self._applied = [(step, item) for item in applied if (step := step_to(kind, item))]
        self._by_step: dict[str, Json] = {}
        for step, item in self._live:  # one that is there twice is not merged with what is applied
            self._by_step[step] = None if step in self._by_step else item
        self._wanted = {step for step, _ in self._applied}
        self._shared = [step for step, _ in reversed(self._applied) if step in self._by_step]
        self._merged: set[str] = set()
        self._out: list[Json] = []

    def merged(self) -> list[Json]:
        """Walk both lists at once; an item that both have stands where the applied one has it."""
        at = done = 0
        while at < len(self._live) or done < len(self._applied):
            step = self._live[at][0] if at < len(self._live) else ""
            if step and done < len(self._applied):
                if step == self._applied[done][0]:
                    self._take(done)
                    at, done = at + 1, done + 1
                    continue
                if step in self._wanted and self._shared and self._shared[-1] != step:
                    at += 1
                    continue
            if step and step not in self._wanted:
                self._out.append(self._live[at][1])
                at += 1
                continue
            at += step in self._merged
            if done < len(self._applied):
                self._take(done)
                done += 1
        return self._out

    def _take(self, done: int) -> None:
        """The next applied item, merged with the live one if there is one."""
        step, item = self._applied[done]
        self._merged.add(step)
        self._out.append(_merged(self._item, self._by_step[step], item) if step in self._by_step else item)
        if self._shared and self._shared[-1] == step:
            self._shared.pop()
