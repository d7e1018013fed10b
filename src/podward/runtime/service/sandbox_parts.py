"""The parts of a sandbox of the service: made one after the other, each noted before it is needed, and taken away.

Everything is in the mount namespace of the pin. `end` and `forget` work for what is there in part, too.
"""

from __future__ import annotations

import os

from msgspec import structs

from podward.api.cri import PodSandboxConfig
from podward.api.node import IDENTITY
from podward.errors import NodeError, PodwardError
from podward.policy.runtime import defaults
from podward.policy.runtime import sandbox as sandbox_policy
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths, of_sandbox
from podward.runtime import hostfiles, machine, mount_namespace, orphans, pause, sandbox
from podward.runtime.kept import Process, start_time
from podward.runtime.network import configuration
from podward.runtime.network import pod as network
from podward.runtime.probe import SANDBOXED
from podward.runtime.service import container_place, names, pins
from podward.runtime.service.records import SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.volumes import remove_tree

_PAUSE = "pause"


def make(service: RuntimeService, record: SandboxRecord, *, hide: bool) -> SandboxRecord:
    """Make everything of the sandbox; this process is in the pin's mount namespace from then on.

    `hide` takes the unified cgroup hierarchy out of the sandbox's sight. Returns what is to be noted of it. Raises
    PodwardError or OSError; what was made before is to be taken away then.
    """
    directory = service.records.directory(SandboxRecord, record.id)
    make_log_directory(record)
    record = structs.replace(record, pin=pins.start(directory, hide_unified_cgroup=hide))
    if record.mapping is not None:
        record = structs.replace(record, work=mount_namespace.expose(directory))
    service.records.write(record)
    record = structs.replace(
        record, namespaces=sandbox.make(record.work, _with_sysctls(service, record), record.mapping)
    )
    hostfiles.write(f"{record.work}/hosts", hostfiles.read(hostfiles.NODE_HOSTS).encode(), 0o644, record.mapping)
    if record.mapping is not None:
        mount_namespace.open_way(record.work, f"{record.work}/hosts")
    if "net" in record.namespaces and service.options.cni_conf_dir:
        record = structs.replace(record, addresses=_attach(service, record, directory))
    if of_sandbox(record.config).pid == "POD" and record.engine.kind != SANDBOXED:
        record = _start_pause(service, record)  # gVisor's containers have kernels, and so processes, of their own
    return record


def make_log_directory(record: SandboxRecord) -> None:
    """Make the directory that the containers' logs will be in, as containerd does, if the caller has not."""
    wanted = record.config.log_directory
    if not wanted:
        return
    if not os.path.isabs(wanted):
        raise NodeError("the log directory is no absolute path", where=wanted)
    os.makedirs(wanted, mode=0o755, exist_ok=True)


def _with_sysctls(service: RuntimeService, record: SandboxRecord) -> PodSandboxConfig:
    """The message with the sysctls that the imitated runtime adds to every Pod."""
    config, runtime = record.config, service.options.runtime_defaults
    added = sandbox_policy.decide_sysctls(
        runtime,
        defaults.load(runtime).source,
        frozenset(config.linux.sysctls),
        host_network=of_sandbox(config).network == "NODE",
        user_namespace=record.mapping is not None or machine.id_map("uid_map") != IDENTITY,
    )
    sysctls = {**added.fold(PodSandboxConfig).linux.sysctls, **config.linux.sysctls}
    return structs.replace(config, linux=structs.replace(config.linux, sysctls=sysctls))


def _attach(service: RuntimeService, record: SandboxRecord, directory: str) -> tuple[str, ...]:
    if not configuration.plugins():
        places = " or ".join(configuration.DIRECTORIES)
        advice = "apt-get install containernetworking-plugins, or ask for the host's network"
        raise NodeError("there are no CNI plugins to make a network with", where=places, advice=advice)
    return network.attach(
        service.state, service.options.cni_conf_dir, directory, record.config, record.namespaces["net"]
    )


def _start_pause(service: RuntimeService, record: SandboxRecord) -> SandboxRecord:
    place = pause.Place(record.work, f"{record.work}/{_PAUSE}", _pause_id(record), f"{record.cgroup}/{_PAUSE}")
    os.makedirs(place.directory, mode=0o700)
    started = pause.start(service.oci(record.engine), place, record.namespaces, record.mapping)
    return structs.replace(
        record,
        pause=Process(started.pid, start_time(started.pid)),
        namespaces={**record.namespaces, "pid": f"/proc/{started.pid}/ns/pid"},
    )


def _pause_id(record: SandboxRecord) -> str:
    return f"{record.id}-{_PAUSE}"


# --- what containers are given ----------------------------------------------------------------------------------------


def files(record: SandboxRecord) -> SandboxFiles:
    """The files that each container gets, as seen in the pin's mount namespace."""
    return structs.replace(hostfiles.paths(record.work, record.config), hosts=f"{record.work}/hosts")


def namespace_paths(record: SandboxRecord) -> NamespacePaths:
    """The namespaces that containers join, as seen in the pin's mount namespace."""
    return NamespacePaths(**record.namespaces)


def container_cgroup(record: SandboxRecord, container: str) -> str:
    """The path, below each hierarchy, of the cgroup of a container of the sandbox: it ends with the sandbox's."""
    return f"{record.cgroup}/{container}"


# --- the end ----------------------------------------------------------------------------------------------------------


def end(service: RuntimeService, record: SandboxRecord) -> None:
    """End every process of the sandbox and take its network away; what is not there is fine.

    Everything is tried; the first error is raised in the end, and then not all of it is gone.
    """
    errors: list[PodwardError | OSError] = []
    directory = service.records.directory(SandboxRecord, record.id)
    with container_place.inside_if_there(record):
        try:
            _end_processes(service, record)
        except (PodwardError, OSError) as error:
            errors.append(error)
        try:
            network.detach(service.state, directory)
        except (PodwardError, OSError) as error:
            errors.append(error)
    for pin in (record.pin,) if record.pin.pid else pins.of(directory):  # killed before it was noted
        pins.end(pin)
    if errors:
        raise errors[0]


def _end_processes(service: RuntimeService, record: SandboxRecord) -> None:
    """End the pause process and whatever runs in the sandbox's cgroup."""
    if record.pause.pid and machine.id_map("uid_map") != IDENTITY:  # without cgroups it is found by nothing else
        pins.end(record.pause)
    service.cgroups.end_path(record.cgroup)
    service.cgroups.remove_empty(record.cgroup.rpartition("/")[0], record.cgroup_above)
    remove_tree(f"{service.state.oci}/{record.engine.kind}/{_pause_id(record)}")


def end_runtimes(service: RuntimeService, record: SandboxRecord) -> None:
    """End the OCI runtimes that still work at what somebody was killed at: they would go on making it."""
    for place in {service.records.directory(SandboxRecord, record.id), record.work}:
        orphans.end(place)


def forget(service: RuntimeService, record: SandboxRecord) -> None:
    """Remove all that is known of a sandbox whose parts are gone."""
    names.release(service.records, record, names.of_sandbox(record.config.metadata))
    remove_tree(service.records.directory(SandboxRecord, record.id))
