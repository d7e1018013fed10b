"""Which objects a list or a watch is about: its selectors, its version, its pages.

Specification: Kubernetes, k8s.io/apiserver, pkg/storage GetList; k8s.io/apimachinery, pkg/runtime for the fields that
every kind can be selected by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from podward.api import status
from podward.api.gonumber import parse_uint
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.errors import CompactedError, FutureRevisionError
from podward.schema.query_selectors import FieldSelector, FieldTerm
from podward.schema.validation.names import label_faults
from podward.server import continue_token
from podward.server.cache import Item
from podward.server.continue_token import Continue
from podward.server.encoding import decoded
from podward.server.field_labels import COMMON, unsupported, value_of
from podward.server.options import ListOptions, list_options
from podward.server.request import Request
from podward.server.scope import Scope
from podward.store.interface import Stored

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
    " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or"
    " deleted between the time the first chunk was returned and now may show up in the list."
)


class Selection(Struct, frozen=True):
    """What of a resource is wanted."""

    options: ListOptions
    prefix: str
    name: str | None = None


class Listed(Struct, frozen=True):
    """What was found, as of a revision."""

    items: Sequence[Stored]
    revision: int
    token: str = ""
    remaining: int = 0


def selection(scope: Scope, request: Request) -> Selection | Status:
    """What the request wants, or what is wrong with it."""
    options = list_options(request.query)
    if isinstance(options, Status):
        return options
    for term in options.fields.terms:
        if (fault := unsupported(scope.resource, term.field, scope.custom)) is not None:
            return status.bad_request(fault)
    info, fields = request.info, options.fields
    if info.name and not fields.terms:
        fields = FieldSelector((FieldTerm("metadata.name", info.name, equal=True),))
    elif info.name and fields.exact("metadata.name") != info.name:
        return status.bad_request("fieldSelector metadata.name doesn't match requested name")
    namespace = info.namespace
    wanted = fields.exact("metadata.namespace") if scope.resource.namespaced and not namespace else None
    if wanted and not label_faults(wanted):
        namespace = wanted
    options = ListOptions(
        options.labels, fields, options.watch, options.bookmarks, options.version, options.match, options.timeout,
        options.limit, options.token, options.send_initial,
    )  # fmt: skip
    return Selection(options, scope.prefix(namespace), fields.exact("metadata.name"))


def revision_of(version: str) -> int | str:
    """The revision that a resourceVersion is, 0 for none, or what is wrong with it."""
    number = parse_uint(version) if version else 0
    return f"resourceVersion: Invalid value: {quote(version)}: {number}" if isinstance(number, str) else number


Read = Callable[[Stored], JsonObject]
"""Gives a stored object in the version that is asked for."""


def selects_by_version(scope: Scope, chosen: Selection) -> bool:
    """Whether the fields that select are those of a version into which only a webhook converts."""
    return scope.by_webhook and any(term.field not in COMMON for term in chosen.options.fields.terms)


async def reader(scope: Scope, chosen: Selection, found: Iterable[Stored]) -> Read | Status:
    """How objects are read that are to be selected: all of them are converted before, where that is needed."""
    if not selects_by_version(scope, chosen):
        return decoded
    wanted = list(found)
    read = await scope.read_all([decoded(stored) for stored in wanted])
    if isinstance(read, Status):
        return read
    return dict(zip(wanted, read, strict=True)).__getitem__


def matcher(scope: Scope, chosen: Selection, read: Read = decoded) -> Callable[[Item], bool] | None:
    """Whether an object is wanted; None where all are."""
    labels, fields = chosen.options.labels, chosen.options.fields
    if not labels.requirements and not fields.terms:
        return None

    def matches(item: Item) -> bool:
        if labels.requirements and not labels.matches(item.labels):
            return False
        return not fields.terms or fields.matches(value_of(scope.resource, item.stored, read))

    return matches


async def listed(scope: Scope, chosen: Selection) -> Listed | Status:
    """The objects that are wanted, a page of them where there is a limit."""
    options = chosen.options
    if options.token:
        return await _continued(scope, chosen)
    version = options.version
    number = revision_of(version)
    if isinstance(number, str):
        return status.bad_request(f"invalid resource version: {number}")
    exact = options.match == "Exact" or (bool(options.limit) and version not in {"", "0"} and not options.match)
    if exact and version not in {"", "0"}:
        return await _as_of(scope, chosen, number, "")
    cache = scope.cache
    if version not in {"", "0"} and (fault := await _wait(scope, number)) is not None:
        return fault
    revision = await cache.fresh()
    read = await reader(scope, chosen, (item.stored for item in cache.items(chosen.prefix)))
    if isinstance(read, Status):
        return read
    return _page(scope, chosen, _Found(cache.items(chosen.prefix), cache.count(chosen.prefix), read), revision)


def _limit(options: ListOptions) -> int:
    """How many objects a page has; who takes whatever is in the cache takes all of it."""
    return 0 if options.version == "0" and not options.token else options.limit


class _Found(Struct, frozen=True):
    """Objects that may be wanted, how many there are, and how they are read."""

    items: Iterator[Item]
    count: int
    read: Read


def _page(scope: Scope, chosen: Selection, found: _Found, revision: int) -> Listed:
    matches, limit = matcher(scope, chosen, found.read), _limit(chosen.options)
    items: list[Stored] = []
    for seen, item in enumerate(found.items):
        if limit and len(items) == limit:
            token = continue_token.encoded(revision, items[-1].key.removeprefix(scope.prefix()))
            following = any(matches is None or matches(more) for more in (item, *found.items))
            if not following:
                return Listed(items, revision)
            return Listed(items, revision, token, found.count - seen if matches is None else 0)
        if matches is None or matches(item):
            items.append(item.stored)
    return Listed(items, revision)


async def _wait(scope: Scope, version: int) -> Status | None:
    try:
        await scope.parts.store.reach(version)
    except FutureRevisionError:
        return await too_large_version(scope, version)
    return None


async def too_large_version(scope: Scope, version: int) -> Status:
    """The answer to who asks for a version of the future."""
    current = await scope.parts.store.revision()
    found = status.timeout(f"Too large resource version: {version}, current: {current}", 1)
    details = status.StatusDetails(
        causes=(status.StatusCause("ResourceVersionTooLarge", "Too large resource version"),), retry_after_seconds=1
    )
    return Status(found.code, found.reason, found.message, details)


async def _continued(scope: Scope, chosen: Selection) -> Listed | Status:
    token = continue_token.decoded(chosen.options.token)
    if isinstance(token, str):
        return status.bad_request(f"invalid continue token: {token}")
    if chosen.options.version not in {"", "0"}:
        return status.bad_request("specifying resource version is not allowed when using continue")
    start = scope.prefix() + token.start
    if not start.startswith(chosen.prefix):
        return status.bad_request(f"continue key is not valid: {token.start}")
    if token.rv < 0:
        cache = scope.cache
        revision = await cache.fresh()
        after = start.rstrip("\0")
        read = await reader(scope, chosen, (item.stored for item in cache.items(chosen.prefix, after)))
        if isinstance(read, Status):
            return read
        items = cache.items(chosen.prefix, after)
        return _page(scope, chosen, _Found(items, cache.count(chosen.prefix, after), read), revision)
    found = await _as_of(scope, chosen, token.rv, start)
    if isinstance(found, Status) and found.code == 410:
        return _fresh_token(token)
    return found


def _fresh_token(token: Continue) -> Status:
    """Too old, with a token that goes on with what is there now."""
    return Status(410, "Expired", _EXPIRED, token=new_token(token))


def new_token(token: Continue) -> str:
    """The token that goes on after the same key, in no particular version."""
    return continue_token.encoded(-1, token.start.rstrip("\0"))


async def _as_of(scope: Scope, chosen: Selection, revision: int, start: str) -> Listed | Status:
    """The objects as they were then, straight from the store."""
    store, limit = scope.parts.store, chosen.options.limit
    items: list[Stored] = []
    while True:
        try:
            page = await store.list(chosen.prefix, limit, start, revision)
        except CompactedError:
            return (
                status.expired("The provided resource version is too old.") if not start else status.expired(_EXPIRED)
            )
        except FutureRevisionError:
            return await too_large_version(scope, revision)
        read = await reader(scope, chosen, page.items)
        if isinstance(read, Status):
            return read
        matches = matcher(scope, chosen, read)
        for index, stored in enumerate(page.items):
            if matches is None or matches(Item(stored)):
                items.append(stored)
            if limit and len(items) == limit:
                left = len(page.items) - index - 1 + page.remaining
                token = continue_token.encoded(revision, stored.key.removeprefix(scope.prefix())) if left else ""
                return Listed(items, revision, token, left if matches is None else 0)
        if not page.more:
            return Listed(items, revision)
        start = page.items[-1].key + "\0"
