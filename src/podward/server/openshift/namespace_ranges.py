"""Every namespace gets ids and an SELinux level of its own, which no other one has or had.

Specification: OpenShift cluster-policy-controller, namespace SCC allocation: which blocks are taken stands in one
object, the RangeAllocation `scc-uid`. A block is taken there first, by a write that fails if anybody else has written
it in the meantime, and only then written into the namespace: two servers on one store never take the same one. Who was
slower with a namespace gives back the block that nobody has seen.

What is there is found by following the namespaces, as the controller does; whoever cannot wait asks for `give`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.errors import StoreError, UsageError
from podward.policy.scc.allocation import Ranges, first_free
from podward.policy.scc.namespace import UID_RANGE
from podward.schema.openshift.resources import BY_KIND
from podward.schema.resources import BY_KIND as KUBERNETES
from podward.schema.strategies.flow import with_metadata
from podward.server import registry
from podward.server.catalog import key_of
from podward.server.encoding import decoded, stored_bytes
from podward.server.request import Request
from podward.server.request_info import RequestInfo
from podward.server.routes import scope_of
from podward.server.verbs.writing import managed
from podward.store.interface import Mismatch, Stored

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Parts
    from podward.store.interface import Event

RESOURCE = BY_KIND["security.internal.openshift.io/v1", "RangeAllocation"]
NAME = "scc-uid"
_KEY = key_of(RESOURCE, "", NAME)
_MANAGER = "cluster-policy-controller"
_PAUSE = 1.0
_log = logging.getLogger("podward.server")


class NamespaceRanges:
    """The ranges that a server gives."""

    def __init__(self, parts: Parts, ranges: Ranges) -> None:
        self._parts = parts
        self._ranges = ranges
        self._scope = scope_of(parts, KUBERNETES["v1", "Namespace"])
        self._cache = self._scope.cache
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Give what is missing, and go on doing so. Raises UsageError where blocks of other sizes are given."""
        await self._cache.start()
        await self._begin()
        for item in self._cache.items(self._cache.prefix):
            if self.lacks(decoded(item.stored)):
                self._changed.put_nowait(_name(item.stored.key))
        self._cache.listeners.append(self._follow)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Give no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def give(self, namespace: str) -> None:
        """Have the namespace of this name ranges, if it exists and has none."""
        current = await self._parts.store.get(self._scope.key("", namespace))
        if current is None:
            return
        async with self._turn:
            if self.lacks(decoded(current)):
                await self._give(namespace)
            elif blocks := self._blocks(decoded(current)):
                await self._take(blocks)

    def lacks(self, namespace: JsonObject) -> bool:
        """Whether a namespace has no ranges yet."""
        return UID_RANGE not in _annotations(namespace)

    async def _give(self, namespace: str) -> None:
        block = await self._take_next()

        async def transform(old: JsonObject | None) -> JsonObject | Status:
            if old is None or not self.lacks(old):
                return _UNWANTED
            made = {**self._ranges.annotations(block), **_annotations(old)}
            return managed(self._scope, _MANAGER, old, with_metadata(old, annotations={**made}))

        info = RequestInfo("", "update", True, version="v1", namespace=namespace, resource="namespaces", name=namespace)
        request = Request("PUT", "", {}, {}, info, _nothing)
        written = await registry.update(registry.Change(self._scope, request, transform, _unasked, dry_run=False))
        if isinstance(written, Status):
            await self._release(block)

    # --- the object that says what is taken -------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Make the object, with every block that a namespace has something of."""
        await self._cache.fresh()
        taken = 0
        for item in self._cache.items(self._cache.prefix):
            taken |= self._blocks(decoded(item.stored))
        stored = await self._parts.store.get(_KEY)
        if stored is None:
            made = await self._parts.store.create(_KEY, stored_bytes(RESOURCE, self._object(taken)))
            if isinstance(made, Stored):
                return
        await self._take(taken)

    def _blocks(self, namespace: JsonObject) -> int:
        """The blocks that a namespace has something of."""
        touched = self._ranges.touched(_annotations(namespace))
        return (1 << len(touched)) - 1 << touched.start if touched else 0

    def _object(self, taken: int) -> JsonObject:
        clock = self._parts.clock
        return {
            "metadata": {"name": NAME, "uid": clock.uid(), "creationTimestamp": clock.now()},
            **self._data(taken),
        }

    def _data(self, taken: int) -> JsonObject:
        data = taken.to_bytes((taken.bit_length() + 7) // 8, "big")
        return {"range": self._ranges.uids, "data": base64.b64encode(data).decode() or None}

    async def _take(self, blocks: int) -> None:
        """Have these blocks taken."""
        await self._change(lambda taken: taken | blocks)

    async def _release(self, block: int) -> None:
        """Give a block back that nobody has seen."""
        await self._change(lambda taken: taken & ~(1 << block))

    async def _take_next(self) -> int:
        """A block that nobody has or had."""
        found = 0

        def more(taken: int) -> int:
            nonlocal found
            block = first_free(taken, self._ranges.count)
            if block is None:
                raise StoreError(
                    "uid range exceeded",
                    where="--namespace-ranges",
                    advice="every block was given to a namespace; blocks of deleted ones are not given again",
                )
            found = block
            return taken | 1 << block

        await self._change(more)
        return found

    async def _change(self, change: Callable[[int], int]) -> None:
        store = self._parts.store
        current = await store.get(_KEY)
        while True:
            if current is None:  # somebody has deleted it: what is given stands in the namespaces
                await self._begin()
                current = await store.get(_KEY)
                continue
            obj = decoded(current)
            taken = self._taken(obj)
            wanted = change(taken)
            if wanted == taken:
                return
            changed = with_metadata({**obj, **self._data(wanted)}, resourceVersion=None)
            found = await store.update(current.key, stored_bytes(RESOURCE, changed), current.revision)
            if not isinstance(found, Mismatch):
                return
            current = found.current

    def _taken(self, obj: JsonObject) -> int:
        if obj.get("range") != self._ranges.uids:
            raise UsageError(
                f"conflicting UID range: namespaces have ids of {obj.get('range')}, not of {self._ranges.uids}",
                where="--namespace-ranges",
                advice="leave the ranges as they were when the store was new",
            )
        return int.from_bytes(base64.b64decode(str(obj.get("data") or "")), "big")

    # --- following --------------------------------------------------------------------------------------------------

    def _follow(self, event: Event) -> None:
        if event.type == "PUT":
            self._changed.put_nowait(_name(event.stored.key))

    async def _run(self) -> None:
        while True:
            namespace = await self._changed.get()
            try:
                await self.give(namespace)
            except StoreError as error:
                _log.warning("namespace %s has no ranges yet: %s", namespace, error)
                await asyncio.sleep(_PAUSE)
                self._changed.put_nowait(namespace)
            except Exception:  # noqa: BLE001 - the others go on
                _log.exception("namespace %s gets no ranges", namespace)


_UNWANTED = Status(409, "Conflict", "it has ranges, or is gone")


def _annotations(namespace: JsonObject) -> dict[str, str]:
    return cast("dict[str, str]", member(member(namespace, "metadata"), "annotations"))


def _name(key: str) -> str:
    return key.rpartition("/")[2]


async def _nothing() -> bytes | Status:
    return b""


async def _unasked(_new: JsonObject, _old: JsonObject | None) -> Status | None:
    return None
