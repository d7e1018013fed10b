"""Dead containers and sandboxes of Pods that are there: what nobody asks for any more is removed, with its log.

Specification (kubelet, pkg/kubelet/kuberuntime kuberuntime_gc.go, in our words): of the dead runs of a container the
newest stays; its log is what `kubectl logs --previous` shows. A sandbox that is not ready goes where it is not the
Pod's newest and no container is in it. With a run its log goes, and what was rotated out of it.
"""

from __future__ import annotations

import contextlib
import glob
import os

from podward.api.pod_seen import EXITED, READY, ContainerRun
from podward.node import ending
from podward.node.parts import Parts
from podward.node.seen import Look


async def collect(parts: Parts, look: Look) -> None:
    """Remove what is garbage. Raises RuntimeFailedError where something stays."""
    runs, sandboxes = garbage(look)
    for run in runs:
        await ending.remove_run(parts, run.status.id)
        _remove_log(run.status.log_path, parts.context.options.logs)
    for sandbox in sandboxes:
        await ending.remove_sandbox(parts, sandbox)


def garbage(look: Look) -> tuple[tuple[ContainerRun, ...], tuple[str, ...]]:
    """The runs, and the ids of the sandboxes, that may go."""
    dead: list[ContainerRun] = []
    for runs in look.containers.values():
        dead += [run for run in runs if run.status.state == EXITED][1:]
    gone = {run.status.id for run in dead}
    full = {run.sandbox for run in look.runs if run.status.id not in gone}
    old = [each.id for each in look.sandboxes[1:] if each.state != READY and each.id not in full]
    return tuple(dead), tuple(old)


def _remove_log(log: str, home: str) -> None:
    """Remove a log of ours, and what was rotated out of it."""
    if not log.startswith(f"{home}/"):
        return
    for file in (log, *glob.glob(f"{glob.escape(log)}.*")):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file)
