"""Logs of containers that have grown large make way for new ones.

Specification (kubelet, pkg/kubelet/logs container_log_manager.go, in our words): every ten seconds the log of each
container that runs is looked at. One of more than 10 MiB is renamed with the time behind it, and the runtime opens a
new one; where it does not, the name is given back. Of those renamed before, all but the newest are compressed; at most
five files are kept, with the one that is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import ListContainersRequest, ReopenContainerLogRequest
from podward.api.cri_status import ContainerFilter
from podward.api.pod_seen import RUNNING
from podward.node.context import NodeContext
from podward.node.log_verbs import ROTATE_LOG, RotateRequest
from podward.policy.kubelet import cri_names
from podward.runtime.service import verbs

_EACH = 10.0


class LogRotation:
    """Looks at the logs of the node's containers."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_for_ever())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_EACH)
            for container, log in await self._logs():
                if _size(log) > self._context.options.log_size:
                    await self._rotate(container, log)

    async def _logs(self) -> list[tuple[str, str]]:
        """The containers that run, and their logs."""
        wanted = ListContainersRequest(ContainerFilter(state=RUNNING))
        listed = await self._context.runtime.call(verbs.LIST_CONTAINERS, wanted)
        found = []
        for each in () if isinstance(listed, CriRefusal) else listed.containers:
            labels = each.labels
            if cri_names.POD_UID in labels and cri_names.CONTAINER_NAME in labels:
                names = (cri_names.POD_NAMESPACE, cri_names.POD_NAME, cri_names.POD_UID)
                of_pod = "_".join(labels.get(name, "") for name in names)
                log = cri_names.log_path(labels[cri_names.CONTAINER_NAME], each.metadata.attempt)
                found.append((each.id, f"{self._context.options.logs}/{of_pod}/{log}"))
        return found

    async def _rotate(self, container: str, log: str) -> None:
        context = self._context
        renamed = f"{log}.{dt.datetime.now(dt.UTC).strftime('%Y%m%d-%H%M%S')}"
        request = RotateRequest(log, renamed, context.options.log_files)
        answer = await context.engine.call(ROTATE_LOG, request)
        if isinstance(answer, CriRefusal):
            context.log.failed(f"a log cannot be rotated: {answer.message}")
            return
        opened = await context.runtime.call(verbs.REOPEN_CONTAINER_LOG, ReopenContainerLogRequest(container))
        if isinstance(opened, CriRefusal):
            _give_back(renamed, log)
            context.log.failed(f"a log is not reopened: {opened.message}")


def _give_back(renamed: str, log: str) -> None:
    """Nobody writes a new log: the old one gets its name again."""
    with contextlib.suppress(OSError):
        if not os.path.lexists(log):
            os.rename(renamed, log)


def _size(log: str) -> int:
    try:
        return os.lstat(log).st_size
    except OSError:
        return 0
