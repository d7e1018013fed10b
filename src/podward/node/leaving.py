"""The end of a node's Pods when its cluster ends: as when a machine is switched off, but in good order.

Containers are asked to end, and killed after a while, or at once where nobody would hear it; sandboxes, cgroups, mounts
and the node's mount namespace are taken away. What the API server has stays as it is: a node that is started again runs
these Pods anew, by their restart policies.
"""

from __future__ import annotations

import os
import socket

from podward.api.cri_requests import RemovePodSandboxRequest, StopContainerRequest
from podward.node import home
from podward.policy.kubelet import cri_names
from podward.policy.kubelet import pod_cgroups as places
from podward.runtime import pod_cgroups
from podward.runtime.network import pod as network
from podward.runtime.service import container_ending, sandboxes
from podward.runtime.service.records import SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions
from podward.runtime.state import State
from podward.runtime.workers.calls import Caller

_GRACE = 5
"""Seconds in which a container may end by itself."""
_AT_ONCE = 16


def end_pods(root: str) -> None:
    """End all Pods of the node with this state directory, which does not run. Raises PodwardError.

    Call it in a process that has no threads: it forks, and it moves into the node's mount namespace.
    """
    directory = f"{root}/node"
    outside = os.fork()
    if outside == 0:
        try:
            _end(root, directory)
        finally:
            os._exit(0)
    os.waitpid(outside, 0)
    home.leave_nothing(directory)


def _end(root: str, directory: str) -> None:
    home.enter(State(root), directory)
    service = RuntimeService(root, ServiceOptions())
    service.choose_all()
    running: set[int] = set()
    for record in service.records.every(SandboxRecord):
        if len(running) == _AT_ONCE:
            running.discard(os.wait()[0])
        pid = os.fork()
        if pid == 0:
            try:
                _end_pod(service, record)
            finally:
                os._exit(0)
        running.add(pid)
    for pid in running:
        os.waitpid(pid, 0)
    for path in places.TIERS:
        service.cgroups.remove_empty(path)
    network.release(service.state)


def _end_pod(service: RuntimeService, record: SandboxRecord) -> None:
    nobody, caller = socket.socketpair()
    with nobody, caller:
        who = Caller(caller)
        for container in container_ending.of_sandbox(service, record.id):
            grace = _GRACE if container_ending.hears(service, container) else 0
            container_ending.stop(service, StopContainerRequest(container.id, grace), who)
        sandboxes.remove(service, RemovePodSandboxRequest(record.id), who)
    uid = record.config.labels.get(cri_names.POD_UID)
    for path in places.every(uid) if uid else ():
        pod_cgroups.remove(path, service.cgroups)
