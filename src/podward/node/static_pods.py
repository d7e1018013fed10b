"""The Pods of the files in a directory: found, run, and shown to the API server by mirror Pods.

The directory is looked at when something in it changes, and every 20 seconds. Files that begin with a dot, and what is
no file, are left alone. A file that cannot be read as a Pod is told in the log; the others run.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable

import msgspec

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.informer import Change, Informer
from podward.documents.raw_fields import member
from podward.documents.reader import decode_documents
from podward.errors import InputError, PodwardError
from podward.node import clock
from podward.node.context import NodeContext
from podward.node.pods import Pods
from podward.node.statuses import PODS
from podward.node.subject import Subject
from podward.policy.kubelet import static_pods
from podward.runtime import syscalls
from podward.schema.validation.raw import text
from podward.stages.admission.order import by_registry

_LOOK, _LARGEST = 20.0, 10 << 20
_AGAIN = 2.0
_CHANGES = syscalls.IN_MOVED_TO | syscalls.IN_CLOSE_WRITE | syscalls.IN_GONE
_NOT_FOUND = 404


class StaticPods:
    """The static Pods of a node."""

    def __init__(self, context: NodeContext, informer: Informer, node: Callable[[], JsonObject]) -> None:
        """`node` is the Node object as it is now."""
        self._context = context
        self._directory = context.options.manifest_path
        self._informer = informer
        self._node = node
        self._known: dict[str, JsonObject] = {}
        self._faults: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._shown = asyncio.Event()

    def read(self) -> dict[str, JsonObject]:
        """The Pods of the directory's files as they are now, by uid."""
        found: dict[str, JsonObject] = {}
        for name in sorted(os.listdir(self._directory)) if os.path.isdir(self._directory) else ():
            if name.startswith("."):
                continue
            try:
                pod = self._pod(f"{self._directory}/{name}")
            except (PodwardError, OSError) as error:
                self._complain(name, str(error))
                continue
            if pod is not None:
                self._faults.pop(name, None)
                found[text(member(pod, "metadata"), "uid")] = pod
        return found

    def start(self, pods: Pods) -> None:
        """Run what is there and what comes, and show it. The Pods that there are were read before."""
        self._informer.listeners.append(self._heard)
        self._tasks = [asyncio.create_task(self._follow(pods)), asyncio.create_task(self._show())]

    async def close(self) -> None:
        """Follow nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pod(self, file: str) -> JsonObject | None:
        """The Pod that a file describes; None for what is no file. Raises PodwardError or OSError."""
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
            facts = os.fstat(opened.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return None
            content = opened.read(_LARGEST)
        documents = decode_documents(content, file)
        if len(documents) != 1:
            raise InputError("it must hold one Pod")
        written, name = documents[0].raw, os.path.basename(file)
        if wrong := static_pods.fault(written):
            raise InputError(wrong)
        made = static_pods.prepared(written, self._context.options.name, name, clock.now())
        try:
            admitted = by_registry(made)
        except msgspec.ValidationError as error:
            raise InputError(f"couldn't parse as pod: {error}") from None
        if admitted.refused:
            said = "; ".join(f"{each.path}: {each.reason}" for each in admitted.decision.violations)
            raise InputError(f"invalid pod: {said}")
        return static_pods.without_account({**admitted.stored, "status": made["status"]})

    def _complain(self, file: str, what: str) -> None:
        if self._faults.get(file) != what:
            self._faults[file] = what
            self._context.log.failed(f"static Pod {file}: {what}")

    async def _follow(self, pods: Pods) -> None:
        loop = asyncio.get_running_loop()
        watch = self._watched()
        if watch >= 0:
            loop.add_reader(watch, self._drain, watch)
        try:
            while True:
                self._take(pods)
                try:
                    await asyncio.wait_for(self._changed.wait(), _LOOK)
                except TimeoutError:
                    continue
                self._changed.clear()
        finally:
            if watch >= 0:
                loop.remove_reader(watch)
                os.close(watch)

    def _watched(self) -> int:
        """What tells of changes in the directory; -1 where there is no such directory."""
        return syscalls.inotify(self._directory, _CHANGES) if os.path.isdir(self._directory) else -1

    def _drain(self, watch: int) -> None:
        os.read(watch, 1 << 16)
        self._changed.set()

    def _take(self, pods: Pods) -> None:
        found = self.read()
        for uid in self._known.keys() - found.keys():
            pods.drop(uid)
        for uid in found.keys() - self._known.keys():
            pods.add(Subject.of(found[uid]))
        if self._known.keys() != found.keys():
            self._known = found
            self._shown.set()

    # --- mirrors -----------------------------------------------------------------------------------------------------

    def _heard(self, change: Change) -> None:
        if any(pod is not None and static_pods.shown_by(pod) for pod in (change.old, change.new)):
            self._shown.set()

    async def _show(self) -> None:
        while True:
            await self._shown.wait()
            self._shown.clear()
            if not await self._mirror_all():
                await asyncio.sleep(_AGAIN)
                self._shown.set()

    async def _mirror_all(self) -> bool:
        """Have a mirror for each static Pod and no other; whether all of that was done."""
        done = True
        for pod in self._informer.items():
            shown = static_pods.shown_by(pod)
            if shown and (shown not in self._known or "deletionTimestamp" in member(pod, "metadata")):
                done = await self._delete(pod) and done
        there = {static_pods.shown_by(pod) for pod in self._informer.items()}
        for uid in self._known.keys() - there:
            done = await self._create(self._known[uid]) and done
        return done

    async def _delete(self, pod: JsonObject) -> bool:
        metadata = member(pod, "metadata")
        options: JsonObject = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata.get("uid")}}
        where = text(metadata, "namespace"), text(metadata, "name")
        answer = await self._context.client.delete(PODS, *where, options)
        return not isinstance(answer, Status) or answer.success or answer.code == _NOT_FOUND

    async def _create(self, pod: JsonObject) -> bool:
        uid = text(member(self._node(), "metadata"), "uid")
        if not uid:
            return False
        made = static_pods.mirror(pod, uid)
        answer = await self._context.client.create(PODS, text(member(made, "metadata"), "namespace"), made)
        if isinstance(answer, Status):
            self._context.log.failed(f"the mirror of a static Pod cannot be made: {answer.message}")
            return False
        return True
