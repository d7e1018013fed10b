"""Watches who the first processes of containers are, and tells once of each that has become somebody else.

Nobody else tells of it: a container's status names the ids with which its process began. Of each run are kept, in the
Pod's directory (`identity.json`, 0600), what was decided, what was predicted as it began, and what was observed last.
The file is what the node's server shows, and `podward explain pod/NAME` prints. It outlives the node, so that an event
is told once, whoever the node is then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

import msgspec
from msgspec import Struct, structs

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import ContainerStatusRequest, ContainerStatusResponse
from podward.api.identity import ContainerIdentity, Identity, PodIdentity
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.documents.raw_fields import member
from podward.node.identity_verbs import PREDICT, PredictRequest
from podward.node.probes import Tell
from podward.node.runtime import Runtime
from podward.policy.kernel import identity_drift
from podward.policy.kubelet import pod_events
from podward.runtime import identity, kept
from podward.runtime.oci import write_private
from podward.runtime.service import verbs
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.client import EngineClient

_EACH = 3.0
"""Seconds between two looks."""
_PATIENCE = 10.0
_LARGEST = 1 << 20


class _Info(Struct, frozen=True, rename="camel"):
    """What a runtime tells of a container beside its status: containerd, CRI-O and our own alike."""

    pid: int = 0
    runtime_spec: msgspec.Raw = msgspec.Raw(b"null")


class _Watched(Struct):
    """A run that is watched; `known` is what there is to tell, `began` when its process did, in the kernel's ticks."""

    document: JsonObject
    known: ContainerIdentity
    began: int = 0
    asked: bool = False


class Identities:
    """The identities of all containers that run here. `pods` is the directory of Pods by uid."""

    def __init__(
        self, runtime: Runtime, engine: EngineClient[RuntimeService], node: Node, pods: str, tell: Tell
    ) -> None:
        self._runtime = runtime
        self._engine = engine
        self._node = node
        self._pods = pods
        self._tell = tell
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._watching: asyncio.Task[None] | None = None

    def begin(self, document: JsonObject, container: str, run: str) -> None:
        """The container runs: watch it."""
        uid = str(member(document, "metadata").get("uid"))
        known = self._watched.get((uid, container))
        if known is not None and known.known.run == run:
            return
        before = next((each for each in _read(self._pods, uid).containers if each.run == run), None)
        self._watched[uid, container] = _Watched(document, before or ContainerIdentity(container, run))
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def end(self, uid: str, container: str = "") -> None:
        """Watch a container no more; without a name, no container of the Pod."""
        for key in [key for key in self._watched if key[0] == uid and container in {"", key[1]}]:
            del self._watched[key]

    async def close(self) -> None:
        """Watch nothing more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            for key, watched in tuple(self._watched.items()):
                with contextlib.suppress(OSError, ValueError, KeyError):
                    await self._look(key, watched)
            await asyncio.sleep(_EACH)

    async def _look(self, key: tuple[str, str], watched: _Watched) -> None:
        if not watched.asked:
            watched.asked = True
            await self._ask(watched)
            self._write(key[0])
        known = watched.known
        if not known.pid or kept.start_time(known.pid) != watched.began:
            return
        observed = identity.read(known.pid)
        drift = identity_drift.drift(known.decided, known.predicted, observed)
        now = structs.replace(known, observed=observed, drift=drift, told=known.told or bool(drift))
        if now == known:
            return
        if self._watched.get(key) is watched:
            watched.known = now
            self._write(key[0])
        if drift and not known.told:
            row = pod_events.ESCALATED if identity_drift.gains(known.decided, known.predicted, observed) else None
            event = (row or pod_events.DRIFTED).about(name=known.name, what="; ".join(drift))
            field = pod_events.field_of(watched.document, known.name)
            self._tell(watched.document, event.type, event.reason, event.message, field)

    async def _ask(self, watched: _Watched) -> None:
        """Learn which process it is, who it was to be, and who it should have become by executing its entry."""
        known = watched.known
        answer = await self._runtime.call(verbs.CONTAINER_STATUS, ContainerStatusRequest(known.run, verbose=True))
        if isinstance(answer, CriRefusal) or answer.status is None:
            return
        info = _info(answer)
        user = answer.status.user
        known = structs.replace(known, pid=info.pid, decided=user.linux if user is not None else None)
        if not info.pid:
            watched.known = structs.replace(known, unpredicted="the runtime does not tell which process it is")
            return
        watched.began = kept.start_time(info.pid)
        if known.predicted is None:
            predicted, why = await self._predicted(info)
            known = structs.replace(known, predicted=predicted, unpredicted=why)
        watched.known = known

    async def _predicted(self, info: _Info) -> tuple[Identity | None, str]:
        try:
            request = PredictRequest(info.pid, info.runtime_spec, self._node)
            work = self._engine.call(PREDICT, request)
            answer = await asyncio.wait_for(work, _PATIENCE)
        except TimeoutError:
            return None, "its entry file could not be looked at in time"
        if isinstance(answer, CriRefusal):
            return None, answer.message
        return answer.identity, answer.why

    def _write(self, uid: str) -> None:
        containers = tuple(each.known for (pod, _), each in sorted(self._watched.items()) if pod == uid)
        made = msgspec.json.encode(PodIdentity(uid, "", containers))
        place = _file(self._pods, uid)
        if os.path.isdir(os.path.dirname(place)):
            write_private(f"{place}.new", made)
            os.replace(f"{place}.new", place)


def _info(answer: ContainerStatusResponse) -> _Info:
    try:
        return msgspec.json.decode(answer.info.get("info", "{}"), type=_Info)
    except msgspec.MsgspecError:
        return _Info()


def _file(pods: str, uid: str) -> str:
    return f"{pods}/{uid}/identity.json"


def _read(pods: str, uid: str) -> PodIdentity:
    """What was written last about the Pod; nothing where nothing was, or it cannot be read."""
    try:
        with open(_file(pods, uid), "rb") as file:
            return msgspec.json.decode(file.read(_LARGEST), type=PodIdentity)
    except (OSError, msgspec.MsgspecError):
        return PodIdentity(uid, "")


def of_pod(pods: str, uid: str, node: str) -> PodIdentity:
    """What the node knows of the identities in a Pod."""
    return structs.replace(_read(pods, uid), node=node)
