"""What the node has done about a Pod in a worker of the engine, beside its volumes: its directory, ids and cgroup.

ROOT/node/pods/UID/          0700
userns                     the range of ids of a Pod with a user namespace of its own
etc-hosts                  the Pod's hosts file
containers/NAME/N          the termination log of attempt N
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct

from podward.api.core import Pod
from podward.api.cri import IDMapping, LinuxContainerResources
from podward.errors import NodeError, PodwardError
from podward.policy.kubelet import pod_cgroups as places
from podward.runtime import cgroups, container_files, pod_cgroups, userns
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.volumes import remove_tree
from podward.runtime.workers.calls import Caller, Verb
from podward.schema.view import pod_view


class PlaceRequest(Struct, frozen=True):
    """A Pod's directory, its cgroup with its limits, and whether it has a user namespace of its own.

    `most_processes` is how many processes it may have; 0 is any number.
    """

    directory: str
    cgroup: str
    limits: LinuxContainerResources
    user_namespace: bool = False
    most_processes: int = 0


class PlaceAnswer(Struct, frozen=True):
    """The ids of the Pod's user namespace."""

    mapping: IDMapping | None = None


class CgroupRequest(Struct, frozen=True):
    """The limits that a Pod's cgroup is to have; refused where it uses more memory than it `must_fit` (0: any)."""

    cgroup: str
    limits: LinuxContainerResources
    must_fit: int = 0


class CgroupAnswer(Struct, frozen=True):
    """It has them."""


class FilesRequest(Struct, frozen=True):
    """A container that is to be started: attempt `number` of it."""

    directory: str
    pod: msgspec.Raw
    container: str
    number: int
    log_directory: str
    addresses: tuple[str, ...] = ()
    mapping: IDMapping | None = None

    def __repr__(self) -> str:
        return f"FilesRequest({self.directory}, {self.container}, {self.number})"


class FilesAnswer(Struct, frozen=True):
    """Where the container's hosts file is ("" for none), and its termination log."""

    hosts: str = ""
    termination_log: str = ""


class RemoveRequest(Struct, frozen=True):
    """What a Pod had: its directory, and its cgroup."""

    directory: str
    cgroup: str


class RemoveAnswer(Struct, frozen=True):
    """It is gone."""


class SweepRequest(Struct, frozen=True):
    """The directories of all Pods and of all logs, and the uids of the Pods that are the node's still.

    `gone` are those of Pods that had a directory, which went with their volumes.
    """

    pods: str
    logs: str
    uids: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class SweepAnswer(Struct, frozen=True):
    """What could not be taken away, and why."""

    left: tuple[str, ...] = ()


def hosts_file(directory: str) -> str:
    """The Pod's hosts file."""
    return f"{directory}/etc-hosts"


def termination_log(directory: str, container: str, number: int) -> str:
    """Where attempt `number` of a container may leave its last words."""
    return f"{directory}/containers/{container}/{number}"


def make_place(service: RuntimeService, asked: PlaceRequest, _caller: Caller) -> PlaceAnswer:
    """Make the Pod's directory and cgroup, and set ids aside; what is there stays."""
    os.makedirs(asked.directory, mode=0o700, exist_ok=True)
    if cgroups.usable():
        _limit(asked.cgroup, asked.limits)
        if asked.most_processes:
            pod_cgroups.limit_processes(asked.cgroup, asked.most_processes)
    if not asked.user_namespace:
        return PlaceAnswer()
    return PlaceAnswer(userns.keep(service.state, asked.directory))


def limit_cgroup(_service: RuntimeService, asked: CgroupRequest, _caller: Caller) -> CgroupAnswer:
    """Give a Pod's cgroup other limits. Raises NodeError where it uses too much memory, or the kernel refuses."""
    if cgroups.usable():
        used = pod_cgroups.memory_used(asked.cgroup)
        if asked.must_fit and used > asked.must_fit:
            raise NodeError(f"attempting to set pod memory limit ({asked.must_fit}) below current usage ({used})")
        _limit(asked.cgroup, asked.limits)
    return CgroupAnswer()


def _limit(cgroup: str, limits: LinuxContainerResources) -> None:
    pod_cgroups.ensure(cgroup, limits)
    _weigh(cgroup)


def _weigh(cgroup: str) -> None:
    """Give what all Pods of this one's class have together the share of CPU that it is to have now."""
    above, of_pods = places.tier(cgroup)
    if above:
        pod_cgroups.weigh(above, by_those_below=of_pods)


def make_files(_service: RuntimeService, asked: FilesRequest, _caller: Caller) -> FilesAnswer:
    """Write the hosts file, make a new termination log and the directory of logs."""
    os.makedirs(f"{asked.log_directory}/{asked.container}", mode=0o755, exist_ok=True)
    log = termination_log(asked.directory, asked.container, asked.number)
    container_files.make_termination_log(log, asked.mapping)
    pod: Pod = pod_view(msgspec.json.decode(asked.pod, type=dict))
    hosts = hosts_file(asked.directory)
    container_files.write_hosts(hosts, pod, asked.addresses, asked.mapping)
    return FilesAnswer(hosts, log)


def remove_place(service: RuntimeService, asked: RemoveRequest, _caller: Caller) -> RemoveAnswer:
    """Take the Pod's cgroup and directory away; its volumes went before. What is not there is fine."""
    pod_cgroups.remove(asked.cgroup, service.cgroups)
    remove_tree(asked.directory)
    if cgroups.usable():
        _weigh(asked.cgroup)
    return RemoveAnswer()


def sweep_places(service: RuntimeService, asked: SweepRequest, _caller: Caller) -> SweepAnswer:
    """Take the directories, cgroups and logs of Pods away that the node does not have any more.

    The cgroups are those of Pods that have, or had, a directory here: others may be another node's.
    """
    left: list[str] = []
    for uid in sorted({*names_in(asked.pods), *asked.gone} - set(asked.uids)):
        try:
            for path in places.every(uid):
                pod_cgroups.remove(path, service.cgroups)
            remove_tree(f"{asked.pods}/{uid}")
        except (PodwardError, OSError) as error:
            left.append(f"Pod {uid}: {error}")
    for name in names_in(asked.logs):
        if name.rpartition("_")[2] not in asked.uids:
            remove_tree(f"{asked.logs}/{name}")
    return SweepAnswer(tuple(left))


def names_in(directory: str) -> list[str]:
    """What is in a directory; nothing where there is none."""
    return os.listdir(directory) if os.path.isdir(directory) else []


SWEEP_PLACES: Verb[RuntimeService, SweepRequest, SweepAnswer] = Verb(
    "SweepPlaces", SweepRequest, SweepAnswer, sweep_places
)
MAKE_PLACE: Verb[RuntimeService, PlaceRequest, PlaceAnswer] = Verb("MakePlace", PlaceRequest, PlaceAnswer, make_place)
MAKE_FILES: Verb[RuntimeService, FilesRequest, FilesAnswer] = Verb("MakeFiles", FilesRequest, FilesAnswer, make_files)
REMOVE_PLACE: Verb[RuntimeService, RemoveRequest, RemoveAnswer] = Verb(
    "RemovePlace", RemoveRequest, RemoveAnswer, remove_place
)
LIMIT_CGROUP: Verb[RuntimeService, CgroupRequest, CgroupAnswer] = Verb(
    "LimitCgroup", CgroupRequest, CgroupAnswer, limit_cgroup
)
VERBS = (MAKE_PLACE, LIMIT_CGROUP, SWEEP_PLACES, MAKE_FILES, REMOVE_PLACE)
