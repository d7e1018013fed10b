"""Which resources the server has at the moment, custom ones and those of other servers too.

Specification: Kubernetes, k8s.io/client-go, discovery: of a resource that several versions of its group have, the one
of the group's preferred version counts. What cannot be looked at is told, and what was known of it stays. It is
looked at again when definitions or registrations of APIs change, and every minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from weakref import WeakKeyDictionary

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, Informers
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text, texts

_DEFINITIONS = BY_PLURAL["apiextensions.k8s.io", "v1", "customresourcedefinitions"]
_SERVICES = BY_PLURAL["apiregistration.k8s.io", "v1", "apiservices"]
_REGULARLY, _TOGETHER = 60.0, 0.2
"""Seconds: between looks, and for which changes are waited that come together."""

_log = logging.getLogger("podward.controllers")


class Served(Struct, frozen=True):
    """What is served: of each resource the preferred version, and every kind in each of its versions.

    `failed`: groups with their versions that could not be looked at, and why.
    """

    preferred: tuple[Resource, ...] = ()
    by_kind: Mapping[tuple[str, str], Resource] = {}
    failed: Mapping[str, str] = {}

    @property
    def fault(self) -> str:
        """What client-go says of that which failed; empty where nothing did."""
        if not self.failed:
            return ""
        each = ", ".join(f"{name}: {why}" for name, why in sorted(self.failed.items()))
        return f"unable to retrieve the complete list of server APIs: {each}"


class Group(Struct, frozen=True):
    """A group of APIs, its preferred version first."""

    name: str
    versions: tuple[str, ...]


def groups_of(document: JsonObject) -> tuple[Group, ...]:
    """The groups that an APIGroupList names."""
    found = []
    for each in objects(document, "groups"):
        first = text(member(each, "preferredVersion"), "version")
        others = [text(version, "version") for version in objects(each, "versions")]
        versions = dict.fromkeys(filter(None, (first, *others)))
        found.append(Group(text(each, "name"), tuple(versions)))
    return tuple(found)


def resources_of(document: JsonObject, of: GroupVersion) -> tuple[Resource, ...]:
    """The resources that an APIResourceList names, without their parts."""
    return tuple(_resource(each, of) for each in objects(document, "resources") if "/" not in text(each, "name"))


def _resource(each: JsonObject, of: GroupVersion) -> Resource:
    plural = text(each, "name")
    known = BY_PLURAL.get((of.group, of.version, plural))
    verbs = tuple(texts(each, "verbs"))
    if known is not None and known.verbs == verbs:
        return known
    kind = text(each, "kind")
    namespaced = each.get("namespaced") is True
    return Resource(of.group, of.version, kind, plural, kind.lower(), namespaced, f"{kind}List", of, verbs=verbs)


def served(lists: Iterable[tuple[GroupVersion, tuple[Resource, ...]]], failed: Mapping[str, str]) -> Served:
    """All of it; the preferred version of each group comes first among the lists."""
    preferred: dict[tuple[str, str], Resource] = {}
    by_kind: dict[tuple[str, str], Resource] = {}
    for _, resources in lists:
        for each in resources:
            preferred.setdefault((each.group, each.plural), each)
            by_kind.setdefault((each.api_version, each.kind), each)
    return Served(tuple(preferred.values()), by_kind, failed)


class Discovery:
    """What the server has, as it was when somebody last looked."""

    def __init__(self, client: Client, informers: Informers) -> None:
        self._client = client
        self._lists: dict[GroupVersion, tuple[Resource, ...]] = {}
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.served = Served()
        self.listeners: list[Callable[[], None]] = []
        for resource in (_DEFINITIONS, _SERVICES):
            informers.of(resource).listeners.append(self._take)

    def start(self) -> None:
        """Begin to look."""
        if self._task is None:
            self._changed.set()
            self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def current(self) -> Served:
        """What is served, looked at now if anything may have changed."""
        if self._changed.is_set() or not self.served.preferred:
            await self._look()
        return self.served

    def _take(self, change: Change) -> None:
        old, new = change.old, change.new
        if old is None or new is None or old.get("spec") != new.get("spec") or old.get("status") != new.get("status"):
            self._changed.set()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REGULARLY):
                    await self._changed.wait()
            try:
                await asyncio.sleep(_TOGETHER if self.served.preferred else 0)
                await self._look()
            except Exception:  # noqa: BLE001 - what is wrong with one document must not end the looking
                _log.exception("what is served could not be looked at")
                await asyncio.sleep(_TOGETHER)

    async def _look(self) -> None:
        async with self._turn:
            self._changed.clear()
            groups = await self._client.ask("GET", "/apis")
            if isinstance(groups, Status):
                _log.warning("what is served could not be looked at: %s", groups.message)
                self._changed.set()
                await asyncio.sleep(_TOGETHER)
                return
            wanted = list(_in_order(groups_of(groups)))
            answers = await asyncio.gather(*(self._client.ask("GET", _path(of)) for of in wanted))
            failed: dict[str, str] = {}
            for of, answer in zip(wanted, answers, strict=True):
                if isinstance(answer, Status):
                    failed[str(of)] = answer.message
                else:
                    self._lists[of] = resources_of(answer, of)
            before = self.served
            self._lists = {of: self._lists[of] for of in wanted if of in self._lists}
            self.served = served(self._lists.items(), failed)
        if self.served != before:
            for listener in self.listeners:
                listener()


def _in_order(groups: Iterable[Group]) -> Iterator[GroupVersion]:
    yield GroupVersion("", "v1")
    for group in groups:
        for version in group.versions:
            yield GroupVersion(group.name, version)


def _path(of: GroupVersion) -> str:
    return f"/apis/{of}" if of.group else f"/api/{of.version}"


_OF_INFORMERS: WeakKeyDictionary[Informers, Discovery] = WeakKeyDictionary()


def discovery_of(client: Client, informers: Informers) -> Discovery:
    """The discovery that all controllers share whose informers are the same."""
    found = _OF_INFORMERS.get(informers)
    if found is None:
        found = _OF_INFORMERS[informers] = Discovery(client, informers)
    return found
