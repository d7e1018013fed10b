"""The configuration of `podward check`: `[check]` of podward.toml, `[tool.podward.check]` of pyproject.toml.

Every key except `waivers` has the name of an option on the command line. An unknown key, or a value of another type, is
an error: a misspelt waiver or policy must not go unnoticed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from datetime import date, datetime
from re import fullmatch

from msgspec import Struct

from podward.api.report import Waiver
from podward.check import rule_selection, waivers
from podward.check.toml_lines import Segments, lines_of, load, where
from podward.check.waivers import ScopedWaiver
from podward.errors import InputError
from podward.schema.api_kinds import knows
from podward.schema.pod_kinds import PodKind

PROJECT = "pyproject.toml"
LEVELS = ("privileged", "baseline", "restricted")
OUTPUTS = ("table", "wide", "json", "sarif", "junit", "github", "gitlab")
_SCOPE = ("path", "kind", "namespace", "name", "container")
_KEYS = {
    "select": "a list of rules",
    "ignore": "a list of rules",
    "exclude": "a list of patterns of file names",
    "level": f"one of {', '.join(LEVELS)}",
    "version": "`latest` or a version such as `v1.30`",
    "scc": "a list of names and files",
    "namespace": "the name of a namespace",
    "as": "the name of a user",
    "as-group": "a list of groups",
    "policy-from": "a list of files and directories",
    "no-inline-waivers": "a boolean",
    "max-waiver-days": "a number of days, 0 or more",
    "baseline": "the name of a file",
    "output": f"one of {', '.join(OUTPUTS)}",
    "workloads": "a list of tables",
    "waivers": "a list of tables",
}
_WORKLOAD_KEYS = {
    "kind": "a kind",
    "group": "an API group",
    "template": "a path, such as `spec.template`, or a list of paths",
}
_WAIVER_KEYS = {
    "rule": "a rule or a family",
    "reason": "a sentence",
    "expires": "a day, such as 2026-12-31",
    "path": "a pattern of file names",
    "kind": "a pattern of kinds",
    "namespace": "a pattern of namespaces",
    "name": "a pattern of names",
    "container": "a pattern of containers' names",
}
_KINDS = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "a list", dict: "a table"}


class CheckConfiguration(Struct, frozen=True):
    """The content of the configuration file; a key that is not there is None or an empty list.

    File names (`scc`, `policy_from`, `baseline`, `exclude`, the paths of waivers) are relative to the directory of the
    file `name`.
    `level` and `version` are the Pod Security Standard for namespaces without labels. `as_user` and `as_groups` are the
    user who creates the Pods. `pod_kinds` say where custom resources hold their Pods.
    """

    name: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    level: str | None = None
    version: str | None = None
    scc: tuple[str, ...] = ()
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    policy_from: tuple[str, ...] = ()
    no_inline_waivers: bool = False
    max_waiver_days: int | None = None
    baseline: str | None = None
    output: str | None = None
    waivers: tuple[ScopedWaiver, ...] = ()
    pod_kinds: tuple[PodKind, ...] = ()


def parse(text: str, name: str) -> CheckConfiguration | None:
    """The configuration in the file `name`; None if it is a pyproject.toml without one.

    Raises InputError with file, line and key for invalid TOML, an unknown key, or an invalid value.
    """
    table_content = load(text, name)
    reader = _Reader(name, text)
    if posixpath.basename(name) == PROJECT:
        tool = table_content.get("tool")
        ours = tool.get("podward") if isinstance(tool, dict) else None
        if ours is None:
            return None
        place: Segments = ("tool", "podward")
    else:
        ours, place = table_content, ()
    table = reader.table(ours, place, {"check": "a table"})
    if "check" not in table:
        return None if place else CheckConfiguration(name)
    return _configuration(reader, table["check"], (*place, "check"))


def _configuration(reader: _Reader, table_content: object, place: Segments) -> CheckConfiguration:
    table = reader.table(table_content, place, _KEYS)
    settings = _Settings(reader, table, place)
    return CheckConfiguration(
        name=reader.name,
        select=settings.rules("select", ignoring=False),
        ignore=settings.rules("ignore", ignoring=True),
        exclude=settings.texts("exclude"),
        level=settings.one_of("level", LEVELS),
        version=settings.version("version"),
        scc=settings.texts("scc"),
        namespace=settings.text("namespace"),
        as_user=settings.text("as"),
        as_groups=settings.texts("as-group"),
        policy_from=settings.texts("policy-from"),
        no_inline_waivers=settings.yes("no-inline-waivers"),
        max_waiver_days=settings.days("max-waiver-days"),
        baseline=settings.text("baseline"),
        output=settings.one_of("output", OUTPUTS),
        waivers=settings.waivers("waivers"),
        pod_kinds=settings.pod_kinds("workloads"),
    )


class _Reader:
    """Makes errors with their place in the file. Lines are looked for only for errors and for waivers."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        self._lines: dict[Segments, int] | None = None

    def line(self, place: Segments) -> int:
        """The line of this key, or of the innermost table around it."""
        if self._lines is None:
            self._lines = lines_of(self._text)
        return where(self._lines, place)

    def fault(self, place: Segments, what: str, advice: str = "") -> InputError:
        """An error about this key."""
        return InputError(f"{_dotted(place)}: {what}", where=f"{self.name}:{self.line(place)}", advice=advice)

    def unexpected(self, place: Segments, expected: str, value: object) -> InputError:
        """An error about a value that has another type than expected."""
        return self.fault(place, f"expected {expected}, found {_kind(value)}")

    def table(self, table_content: object, place: Segments, known: Collection[str]) -> dict[str, object]:
        """The value as a table. Raises InputError if it is none, or has unknown keys."""
        if not isinstance(table_content, dict):
            raise self.unexpected(place, "a table", table_content)
        for key in table_content:
            if key not in known:
                raise self.fault((*place, key), "there is no such key", _nearest(key, known))
        return table_content


class _Settings:
    """Reads the values of one table."""

    def __init__(self, reader: _Reader, table: dict[str, object], place: Segments) -> None:
        self._reader = reader
        self._table = table
        self._place = place

    def text(self, key: str, expected: str = "") -> str | None:
        """A string that is not blank; None if the key is absent."""
        value = self._table.get(key)
        place = (*self._place, key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._reader.unexpected(place, expected or _KEYS[key], value)
        if not value.strip():
            raise self._reader.fault(place, f"expected {expected or _KEYS[key]}, found nothing")
        return value

    def one_of(self, key: str, words: tuple[str, ...]) -> str | None:
        """One of these words; None if the key is absent."""
        value = self.text(key)
        if value is not None and value not in words:
            raise self._reader.fault((*self._place, key), f"expected {_KEYS[key]}, found {_quoted(value)}")
        return value

    def yes(self, key: str) -> bool:
        """A boolean; false if the key is absent."""
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self._reader.unexpected((*self._place, key), _KEYS[key], value)
        return value

    def days(self, key: str) -> int | None:
        """A number of days; None if the key is absent."""
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._reader.unexpected((*self._place, key), _KEYS[key], value)
        if value < 0:
            raise self._reader.fault((*self._place, key), f"expected {_KEYS[key]}, found {value}")
        return value

    def version(self, key: str) -> str | None:
        """A version of the Pod Security Standards."""
        value = self.text(key)
        if value is not None and value != "latest":
            minor = value.removeprefix("v1.")
            plain = minor.isascii() and minor.isdigit() and (minor == "0" or minor[0] != "0")
            if not value.startswith("v1.") or not plain:
                raise self._reader.fault((*self._place, key), f"expected {_KEYS[key]}, found {_quoted(value)}")
        return value

    def texts(self, key: str, expected: str = "") -> tuple[str, ...]:
        """A list of strings, none of them blank."""
        value = self._table.get(key, [])
        place = (*self._place, key)
        if not isinstance(value, list):
            raise self._reader.unexpected(place, expected or _KEYS[key], value)
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise self._reader.unexpected((*place, index), "a string", item)
            if not item.strip():
                raise self._reader.fault((*place, index), "expected a string, found nothing")
        return tuple(value)

    def rules(self, key: str, *, ignoring: bool) -> tuple[str, ...]:
        """A list of rules and families."""
        words = self.texts(key)
        for index, word in enumerate(words):
            fault = rule_selection.fault_of(word, ignoring=ignoring)
            if fault is not None:
                raise self._reader.fault((*self._place, key, index), *fault)
        return words

    def waivers(self, key: str) -> tuple[ScopedWaiver, ...]:
        """The waivers."""
        value = self._table.get(key, [])
        place = (*self._place, key)
        if not isinstance(value, list):
            raise self._reader.unexpected(place, "[[…waivers]], a list of tables", value)
        return tuple(_waiver(self._reader, item, (*place, index)) for index, item in enumerate(value))

    def pod_kinds(self, key: str) -> tuple[PodKind, ...]:
        """The kinds of workloads beside those that are known."""
        value = self._table.get(key, [])
        place = (*self._place, key)
        if not isinstance(value, list):
            raise self._reader.unexpected(place, "[[…workloads]], a list of tables", value)
        return tuple(_pod_kind(self._reader, item, (*place, index)) for index, item in enumerate(value))


def _waiver(reader: _Reader, table_content: object, place: Segments) -> ScopedWaiver:
    table = reader.table(table_content, place, _WAIVER_KEYS)
    settings = _Settings(reader, table, place)
    for key in ("rule", "reason", "expires"):
        if key not in table:
            raise reader.fault(place, f"a waiver must have `{key}`", f"add {key} = …, {_WAIVER_KEYS[key]}")
    rule = settings.text("rule", _WAIVER_KEYS["rule"]) or ""
    fault = waivers.fault_of(rule)
    if fault is not None:
        raise reader.fault((*place, "rule"), *fault)
    reason = settings.text("reason", _WAIVER_KEYS["reason"]) or ""
    written = {key: settings.text(key, _WAIVER_KEYS[key]) or "" for key in _SCOPE}
    expires = _day(reader, table["expires"], (*place, "expires"))
    waiver = Waiver(rule, reason.strip(), expires, reader.name, reader.line(place), in_manifest=False)
    return ScopedWaiver(waiver, waivers.scope(**written))


def _pod_kind(reader: _Reader, table_content: object, place: Segments) -> PodKind:
    table = reader.table(table_content, place, _WORKLOAD_KEYS)
    settings = _Settings(reader, table, place)
    for key, expected in _WORKLOAD_KEYS.items():
        if key not in table:
            raise reader.fault(place, f"a workload must have `{key}`", f"add {key} = …, {expected}")
    kind, group = (settings.text(key, _WORKLOAD_KEYS[key]) or "" for key in ("kind", "group"))
    single = isinstance(table["template"], str)
    places = (
        (settings.text("template", _WORKLOAD_KEYS["template"]) or "",)
        if single
        else settings.texts("template", _WORKLOAD_KEYS["template"])
    )
    if knows(group):
        what = f"{group} is Kubernetes' own, and its kinds are known"
        raise reader.fault((*place, "group"), what, "name the group of a custom resource, without its version")
    for written in places:
        if not fullmatch(_PLACE, written):
            expected = _WORKLOAD_KEYS["template"]
            raise reader.fault((*place, "template"), f"expected {expected}, found {_quoted(written)}", _PLACES)
    return PodKind(kind, group, places, None)


_PLACE = r"[A-Za-z][A-Za-z0-9_-]*(?:\[\*\])?(?:\.[A-Za-z][A-Za-z0-9_-]*(?:\[\*\])?)*"
_PLACES = "name fields with dots between them, and [*] for every item of a list: spec.jobs[*].template"


def _day(reader: _Reader, value: object, place: Segments) -> date:
    """A date of TOML, or a string with a date."""
    day = waivers.day_of(value) if isinstance(value, str) else value
    if isinstance(day, datetime) or not isinstance(day, date):
        found = _quoted(value) if isinstance(value, str) else _kind(value)
        raise reader.fault(place, f"expected {_WAIVER_KEYS['expires']}, found {found}")
    return day


def _kind(value: object) -> str:
    return next((word for kind, word in _KINDS.items() if type(value) is kind), "a date or a time")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _dotted(place: Segments) -> str:
    printed = ""
    for segment in place:
        printed += f"[{segment}]" if isinstance(segment, int) else f".{segment}"
    return printed.removeprefix(".")


def _nearest(key: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key.lower().replace("_", "-"), known, 1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
