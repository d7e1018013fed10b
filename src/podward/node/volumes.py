"""The volumes of the node's Pods, live: made before their containers, following what they hold, taken away at the end.

Specification (kubelet, pkg/kubelet/volumemanager, and syncPod of pkg/kubelet; in our words): a Pod's containers start
once all of its volumes are there. A volume that can't be set up is a FailedMount event of its own and is tried again
after half a second, twice as long each time, at most after two minutes; so is a Pod of whose volumes one could not even
be looked at. Where volumes are missing for more than two minutes, that is told of the Pod, too.

Here a volume follows what it holds as soon as that changes, and a token when its time has come; a kubelet looks once a
minute. What forks or mounts is a worker's (`volume_verbs`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from podward.api.cri import IDMapping
from podward.api.cri_refusal import CriRefusal
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.api.referenced_objects import ReferencedObjects
from podward.client.api import Client
from podward.client.work import Retry, WorkQueue
from podward.documents.raw_fields import member, objects
from podward.errors import InputError
from podward.node import volume_verbs
from podward.node.kept_volumes import Complaint
from podward.node.objects import Objects
from podward.node.tokens import Tokens
from podward.node.volume_verbs import (
    DirectoryAnswer,
    DirectoryRequest,
    MountsAnswer,
    MountsRequest,
    VolumesAnswer,
    VolumesRequest,
)
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.client import EngineClient
from podward.schema.validation.raw import text

Answer = TypeVar("Answer")
_FIRST, _MOST = 0.5, 122.0
_PATIENCE = 123.0
_TOO_LATE = "context deadline exceeded"
_AT_ONCE = 4
_REASON = "FailedMount"
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,127}")
"""It becomes the name of a directory: an API server, too, may be hostile."""

Record = Callable[[JsonObject, str, str, str], None]
"""Tells an event of a Pod: its type, reason and message."""


class Prepared(Struct, frozen=True):
    """What came of a Pod's volumes: the names of those that are not there; try again after `retry` seconds."""

    unmounted: tuple[str, ...] = ()
    retry: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether the Pod's containers may start."""
        return not self.retry


class _Held(Struct):
    """A Pod whose volumes are the node's; `told` stands for what they held when they were last written."""

    pod: JsonObject
    mapping: IDMapping | None
    ip: str
    turn: asyncio.Lock
    failures: int = 0
    ready: bool = False
    awaited_since: float = 0.0
    told: bytes = b""


class Volumes:
    """The volumes of all Pods of a node, below `directory`/UID.

    `record` tells events; `changed` is told the uid of a Pod of whose objects one has changed: another try may do what
    this one could not. `mounts` is False where the runtime sees no mount of the node's.
    """

    def __init__(  # noqa: PLR0913 - what the node is made of
        self,
        client: Client,
        engine: EngineClient[RuntimeService],
        node: Node,
        directory: str,
        *,
        record: Record,
        changed: Callable[[str], None],
        mounts: bool = True,
    ) -> None:
        self._engine = engine
        self._node = node
        self._directory = directory
        self._record = record
        self._changed = changed
        self._mounts = mounts
        self._objects = Objects(client, self._object_changed)
        self._tokens = Tokens(client)
        self._held: dict[str, _Held] = {}
        self._queue = WorkQueue("volumes", self._renew, workers=_AT_ONCE)
        self._at_work: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begin to follow what the volumes hold."""
        self._queue.start()

    async def close(self) -> None:
        """Follow nothing more; the volumes stay."""
        await self._queue.close()
        if self._at_work:
            await asyncio.wait(self._at_work)
        await self._objects.close()

    async def prepare(self, pod: JsonObject, mapping: IDMapping | None = None, ip: str = "") -> Prepared:
        """Have all volumes there, with what they hold now. Call it again whenever the Pod has changed.

        Raises InputError for a uid that is none.
        """
        uid = _uid(pod)
        if not _UID.fullmatch(uid):
            raise InputError("the Pod's uid is no word", where=repr(uid), advice="an API server gives each Pod a UUID")
        held = self._held.setdefault(uid, _Held(pod, mapping, ip, asyncio.Lock()))
        held.pod, held.mapping, held.ip = pod, mapping, ip
        prepared = await self._go_on(self._bring(held))
        due = self._tokens.due(uid)
        if prepared.ready and due is not None:
            self._queue.add_after(uid, due)
        return prepared

    async def mounts(self, uid: str, container: str, ip: str = "") -> MountsAnswer:
        """The mounts of a container that is to be made now, or why it can't be; `ip` are the Pod's addresses.

        Its subPaths lead to what is there now: ask before each of its starts. The Pod was prepared.
        """
        held = self._held[uid]
        held.ip = ip or held.ip
        return await self._go_on(self._mounted(held, container))

    async def objects(self, pod: JsonObject) -> ReferencedObjects | str:
        """What the Pod refers to, for its containers' variables; or why that can't be had now."""
        found = await self._objects.of(pod)
        if found.unread:
            return "; ".join(found.unread)
        return volume_verbs.objects(pod, found.documents)

    def secret(self, namespace: str, name: str) -> JsonObject | None:
        """A Secret of a Pod that was prepared, such as one for pulling images."""
        return self._objects.secret(namespace, name)

    async def remove(self, uid: str) -> tuple[str, ...]:
        """The Pod has ended: take its volumes away. What could not be is told; try again then."""
        held = self._held.pop(uid, None)
        left = await self._go_on(self._removed(uid, held))
        self._tokens.forget(uid)
        await self._objects.forget(uid)
        return left

    async def sweep(self, uids: tuple[str, ...]) -> tuple[str, ...]:
        """Take the directories of all Pods away but of these: once, before anything is made."""
        answer = await self._engine.call(volume_verbs.SWEEP_VOLUMES, DirectoryRequest(self._directory, uids))
        return _left(answer)

    # --- one Pod at a time -------------------------------------------------------------------------------------------

    async def _bring(self, held: _Held) -> Prepared:
        async with held.turn:
            if self._held.get(_uid(held.pod)) is not held:
                return Prepared(_names(held.pod), _MOST)  # it has been taken away meanwhile
            request, unread = await self._request(held)
            told = _told(held.pod, request)
            if held.ready and not unread and told == held.told:
                return Prepared()
            answer = await self._engine.call(volume_verbs.PREPARE_VOLUMES, request)
            whole = isinstance(answer, VolumesAnswer) and not answer.complaints
            held.told = told if whole else b""
        if isinstance(answer, CriRefusal):
            answer = VolumesAnswer((Complaint("", answer.message, processing=True),), _names(held.pod))
        self._tell(held, answer, unread)
        if not answer.unmounted and not unread:
            held.failures, held.ready, held.awaited_since = 0, True, 0.0
            return Prepared()
        held.failures += 1
        return Prepared(answer.unmounted, min(_FIRST * 2 ** min(held.failures - 1, 16), _MOST))

    async def _mounted(self, held: _Held, container: str) -> MountsAnswer:
        async with held.turn:
            request, unread = await self._request(held)
            if unread:
                return MountsAnswer(refusal="; ".join(unread))
            answer = await self._engine.call(volume_verbs.MOUNT_VOLUMES, MountsRequest(request, container))
        return MountsAnswer(refusal=answer.message) if isinstance(answer, CriRefusal) else answer

    async def _removed(self, uid: str, held: _Held | None) -> tuple[str, ...]:
        async with held.turn if held is not None else asyncio.Lock():
            request = DirectoryRequest(f"{self._directory}/{uid}")
            answer = await self._engine.call(volume_verbs.REMOVE_VOLUMES, request)
        return _left(answer)

    async def _request(self, held: _Held) -> tuple[VolumesRequest, tuple[str, ...]]:
        """All that a worker needs, and what can't be had now."""
        pod = held.pod
        found = await self._objects.of(pod)
        tokens = await self._tokens.of(pod)
        request = VolumesRequest(
            Raw(msgspec.json.encode(pod)),
            f"{self._directory}/{_uid(pod)}",
            self._node,
            Raw(msgspec.json.encode(found.documents)),
            tokens,
            held.mapping,
            held.ip,
            self._mounts,
        )
        return request, found.unread

    def _tell(self, held: _Held, answer: VolumesAnswer, unread: tuple[str, ...]) -> None:
        for complaint in answer.complaints:
            if not complaint.processing:
                self._record(held.pod, "Warning", _REASON, complaint.message)
        said = (*unread, *(complaint.message for complaint in answer.complaints if complaint.processing))
        if answer.unmounted and not said and self._is_overdue(held):
            said = (_TOO_LATE,)
        if said:
            unmounted = " ".join(answer.unmounted)
            failed = " ".join(complaint.volume for complaint in answer.complaints if complaint.processing)
            lists = f"unmounted volumes=[{unmounted}], unattached volumes=[], failed to process volumes=[{failed}]"
            what = f"Unable to attach or mount volumes: {lists}: {'; '.join(said)}"
            self._record(held.pod, "Warning", _REASON, what)

    def _is_overdue(self, held: _Held) -> bool:
        """Whether volumes are awaited for so long that it is told, again."""
        now = time.monotonic()
        held.awaited_since = held.awaited_since or now
        if now - held.awaited_since < _PATIENCE:
            return False
        held.awaited_since = now
        return True

    # --- following ---------------------------------------------------------------------------------------------------

    def _object_changed(self, uid: str) -> None:
        self._queue.add(uid)
        self._changed(uid)

    async def _renew(self, uid: str) -> float | Retry | None:
        """Write what has changed into the volumes of a Pod that has them all; others are tried by who runs the Pod."""
        held = self._held.get(uid)
        if held is None or not held.ready:
            return None
        prepared = await self._go_on(self._bring(held))
        return self._tokens.due(uid) if prepared.ready else prepared.retry

    async def _go_on(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do it whatever becomes of who asks: a worker does not stop either."""
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)


def _left(answer: DirectoryAnswer | CriRefusal) -> tuple[str, ...]:
    return (answer.message,) if isinstance(answer, CriRefusal) else answer.left


def _uid(pod: JsonObject) -> str:
    return text(member(pod, "metadata"), "uid")


def _told(pod: JsonObject, request: VolumesRequest) -> bytes:
    """What stands for all that the Pod's volumes hold: its status, which changes often, is not among it.

    Nor are its addresses: no field of a volume refers to them (ValidateDownwardAPIVolumeSource), only a subPathExpr.
    """
    metadata = member(pod, "metadata")
    own = [metadata.get("labels"), metadata.get("annotations"), pod.get("spec")]
    held = [request.documents, request.tokens, request.mapping]
    return sha256(msgspec.json.encode([*own, *held])).digest()


def _names(pod: JsonObject) -> tuple[str, ...]:
    return tuple(text(volume, "name") for volume in objects(member(pod, "spec"), "volumes"))
