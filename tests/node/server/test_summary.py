"""/stats/summary: what stands in it of the machine and of Pods."""

from __future__ import annotations

from pathlib import Path

from podward.api.cri import PodSandboxMetadata
from podward.api.cri_stats import (
    ContainerAttributes,
    ContainerStats,
    FilesystemUsage,
    LinuxPodSandboxStats,
    NetworkInterfaceUsage,
    NetworkUsage,
    PodSandboxAttributes,
    PodSandboxStats,
    ProcessUsage,
    SwapUsage,
)
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.node.server import summary
from podward.node.server.machine_figures import MachineFigures

AT, WRITTEN = 1_700_000_000_000_000_000, "2023-11-14T22:13:20Z"
LABELS = {"io.kubernetes.container.name": "c"}
POD: JsonObject = {
    "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
    "status": {
        "startTime": WRITTEN,
        "containerStatuses": [{"containerID": "podward://run", "state": {"running": {"startedAt": WRITTEN}}}],
    },
}
RUN = ContainerStats(
    ContainerAttributes("run", labels=LABELS),
    writable_layer=FilesystemUsage(AT, used_bytes=8192, inodes_used=5),
    swap=SwapUsage(AT, 10, 7),
)
LINUX = LinuxPodSandboxStats(
    network=NetworkUsage(AT, NetworkInterfaceUsage("eth0", 1, 2, 3, 4)),
    process=ProcessUsage(AT, 2),
    containers=(RUN,),
)
SANDBOX = PodSandboxStats(PodSandboxAttributes("s", PodSandboxMetadata("p", "u", "ns")), LINUX)


def test_a_pod_has_its_times_its_traffic_and_what_its_containers_wrote() -> None:
    (found,) = summary.of([SANDBOX], [POD], {"capacityBytes": 100})
    device: JsonObject = {"name": "eth0", "rxBytes": 1, "rxErrors": 2, "txBytes": 3, "txErrors": 4}
    assert found == {
        "podRef": {"name": "p", "namespace": "ns", "uid": "u"},
        "startTime": WRITTEN,
        "containers": [
            {
                "name": "c",
                "startTime": WRITTEN,
                "swap": {"time": WRITTEN, "swapAvailableBytes": 10, "swapUsageBytes": 7},
                "rootfs": {"time": WRITTEN, "capacityBytes": 100, "usedBytes": 8192, "inodesUsed": 5},
            }
        ],
        "network": {"time": WRITTEN, **device, "interfaces": [device]},
        "process_stats": {"process_count": 2},
        "swap": {"time": WRITTEN, "swapUsageBytes": 7},
    }


def test_the_machine_is_told_with_its_disk_its_devices_and_its_processes(tmp_path: Path) -> None:
    found = MachineFigures(str(tmp_path)).summary()
    assert set(found) == {"startTime", "cpu", "memory", "network", "fs", "runtime", "rlimit", "swap"}
    disk, processes = member(found, "fs"), member(found, "rlimit")
    assert isinstance(disk["availableBytes"], int)
    assert isinstance(disk["capacityBytes"], int)
    assert 0 < disk["availableBytes"] < disk["capacityBytes"]
    assert isinstance(processes["maxpid"], int)
    assert isinstance(processes["curproc"], int)
    assert 0 < processes["curproc"] < processes["maxpid"]
    assert "lo" not in {row["name"] for row in objects(member(found, "network"), "interfaces")}
