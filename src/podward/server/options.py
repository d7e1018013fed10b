"""The options of verbs, from a request's query: what they are, and what is wrong with them.

Specification: Kubernetes, k8s.io/apimachinery, pkg/apis/meta/v1 (conversion from queries, defaults, validation).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from podward.api import status
from podward.api.gonumber import parse_int
from podward.api.gotext import quote
from podward.api.status import Status
from podward.schema.query_selectors import (
    EVERY_FIELD,
    EVERYTHING,
    FieldSelector,
    LabelSelector,
    parse_fields,
    parse_labels,
)
from podward.schema.validation.internal import go_json
from podward.server.request_info import Query

_META = "meta.k8s.io"
_LONGEST_MANAGER = 128
_VALIDATIONS = frozenset(("", "Ignore", "Warn", "Strict"))
_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"

Faults = list[tuple[str, str]]
"""What is wrong: pairs of a field and the error about it."""


class WriteOptions(Struct, frozen=True):
    """CreateOptions, UpdateOptions and PatchOptions. `force` is None where nothing was said."""

    dry_run: bool = False
    manager: str = ""
    validation: str = "Warn"
    force: bool | None = None


class ListOptions(Struct, frozen=True):
    """What is to be listed or watched. `send_initial` is None where nothing was said."""

    labels: LabelSelector = EVERYTHING
    fields: FieldSelector = EVERY_FIELD
    watch: bool = False
    bookmarks: bool = False
    version: str = ""
    match: str = ""
    timeout: int | None = None
    limit: int = 0
    token: str = ""
    send_initial: bool | None = None


def write_options(query: Query, kind: str, *, apply: bool | None = None) -> WriteOptions | Status:
    """The options of this kind; `apply` says of a patch whether it is one that is applied."""
    if not query and not apply:
        return WriteOptions()
    dry_run, manager, checked = (
        list(query.get("dryRun", ())),
        _first(query, "fieldManager"),
        _first(query, "fieldValidation"),
    )
    force = _boolean(query["force"]) if apply is not None and "force" in query else None
    faults: Faults = []
    if apply and not manager:
        faults.append(("fieldManager", "Required value: is required for apply patch"))
    if apply is False and force is not None:
        faults.append(("force", "Forbidden: may not be specified for non-apply patch"))
    faults += manager_faults(manager) + dry_run_faults(dry_run)
    if checked not in _VALIDATIONS:
        known = '"", "Ignore", "Strict", "Warn"'
        faults.append(("fieldValidation", f"Unsupported value: {quote(checked)}: supported values: {known}"))
    if faults:
        return status.invalid_for(kind, _META, "", faults)
    return WriteOptions(bool(dry_run), manager, checked or "Warn", force)


def manager_faults(manager: str) -> Faults:
    """What keeps this from being the name of a field manager."""
    faults = []
    if len(manager.encode()) > _LONGEST_MANAGER:
        faults.append(("fieldManager", f"Too long: may not be more than {_LONGEST_MANAGER} bytes"))
    for index, char in enumerate(manager):
        if not char.isprintable():
            where = f"invalid character {_unicode(char)} (at position {len(manager[:index].encode())})"
            faults.append(("fieldManager", f"Invalid value: {quote(manager)}: {where}"))
    return faults


def dry_run_faults(values: Sequence[str]) -> Faults:
    """What keeps these from being stages of a dry run."""
    if all(value == "All" for value in values):
        return []
    written = "[" + ",".join(map(quote, values)) + "]"
    return [("dryRun", f'Unsupported value: {written}: supported values: "All"')]


def list_options(query: Query) -> ListOptions | Status:
    """What is to be listed or watched, and how."""
    if not query:
        return ListOptions()
    labels, fields = parse_labels(_first(query, "labelSelector")), parse_fields(_first(query, "fieldSelector"))
    if isinstance(labels, str):
        return status.bad_request(labels)
    if isinstance(fields, str):
        return status.bad_request(fields)
    numbers: dict[str, int | None] = {}
    for name in ("timeoutSeconds", "limit"):
        number = _integer(_first(query, name)) if name in query else None
        if isinstance(number, Status):
            return number
        numbers[name] = number
    options = ListOptions(
        labels, fields,
        _boolean(query["watch"]) if "watch" in query else False,
        _boolean(query["allowWatchBookmarks"]) if "allowWatchBookmarks" in query else False,
        _first(query, "resourceVersion"), _first(query, "resourceVersionMatch"),
        numbers["timeoutSeconds"], numbers["limit"] or 0, _first(query, "continue"),
        _boolean(query["sendInitialEvents"]) if "sendInitialEvents" in query else None,
    )  # fmt: skip
    faults = _watch_faults(options) if options.watch else _list_faults(options)
    return status.invalid_for("ListOptions", _META, "", faults) if faults else options


def _list_faults(options: ListOptions) -> Faults:
    faults, field, match = [], "resourceVersionMatch", options.match
    if match:
        if not options.version:
            faults.append((field, "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if options.token:
            faults.append((field, "Forbidden: resourceVersionMatch is forbidden when continue is provided"))
        if match not in {_EXACT, _NOT_OLDER}:
            known = f'"{_EXACT}", "{_NOT_OLDER}", ""'
            faults.append((field, f"Unsupported value: {go_json(match)}: supported values: {known}"))
        if match == _EXACT and options.version == "0":
            sentence = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            faults.append((field, f"Forbidden: {sentence}"))
    if options.send_initial is not None:
        faults.append(("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list"))
    return faults


def _watch_faults(options: ListOptions) -> Faults:
    faults, field, match = [], "resourceVersionMatch", options.match
    if options.send_initial is not None and match != _NOT_OLDER:
        sentence = f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}"
        faults.append((field, f"Forbidden: {sentence}"))
    if match:
        if options.send_initial is None:
            sentence = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            faults.append((field, f"Forbidden: {sentence}"))
        if match != _NOT_OLDER:
            faults.append((field, f'Unsupported value: {go_json(match)}: supported values: "{_NOT_OLDER}"'))
        if options.token:
            faults.append((field, "Forbidden: resourceVersionMatch is forbidden when continue is provided"))
    return faults


def _first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def _boolean(values: Sequence[str]) -> bool:
    """A parameter that is there is true, whatever it says beside `false` and `0`."""
    return not values or values[0].lower() not in {"false", "0"}


def _integer(text: str) -> int | Status:
    number = parse_int(text)
    return status.bad_request(number) if isinstance(number, str) else number


def _unicode(char: str) -> str:
    """A character as Go's `%#U` prints it."""
    code = f"U+{ord(char):04X}"
    return f"{code} '{char}'" if char.isprintable() else code
