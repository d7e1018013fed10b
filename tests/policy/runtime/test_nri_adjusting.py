"""The runtime spec as NRI plugins adjusted it, and which of them set what."""

from __future__ import annotations

import pytest

from podward.api import nri
from podward.api.cri import ContainerConfig, KeyValue, PodSandboxConfig, PodSandboxMetadata
from podward.api.image import Image, ImageConfig
from podward.api.node import Node
from podward.api.nri import ContainerAdjustment, LinuxAdjustment, Memory, Pids, Resources
from podward.api.oci import DeviceRule, RuntimeSpec
from podward.decision import Decision
from podward.path import Key, path
from podward.policy.runtime.nri_adjusting import adjusted, view
from podward.policy.runtime.nri_collecting import PluginAdjustment
from podward.stages import oci

IMAGE = Image("x", "id", config=ImageConfig(cmd=("sh",), env=("PATH=/bin", "A=1")), passwd=(), group=())


@pytest.fixture(scope="module")
def decided() -> Decision:
    """What the oci stage decides for a container of the image."""
    return oci.decide(
        oci.OciFacts(
            ContainerConfig(envs=(KeyValue("B", "2"),), annotations={"n": "1"}),
            PodSandboxConfig(PodSandboxMetadata("pod", "uid", "ns")),
            IMAGE,
            Node(capabilities=(1 << 41) - 1, kernel="6.1.0"),
            oci.HostFacts("/rootfs", "/pod/c"),
            Decision(),
        )
    )


def by(plugin: str, asked: ContainerAdjustment) -> PluginAdjustment:
    return PluginAdjustment(plugin, asked)


def source(decision: Decision, *place: str | int | Key) -> str:
    found = decision.assignment(path(*place))
    assert found is not None
    return str(found.source)


def test_without_plugins_nothing_changes(decided: Decision) -> None:
    assert adjusted(decided, ()) is decided
    assert adjusted(decided, (by("00-p", ContainerAdjustment()),)) is decided


def test_variables_are_changed_in_their_places_and_added_at_the_end(decided: Decision) -> None:
    before = decided.fold(RuntimeSpec).process.env
    asked = ContainerAdjustment(env=(nri.KeyValue("NEW", "x=y"), nri.KeyValue("A", "9"), nri.KeyValue("-B")))
    result = adjusted(decided, (by("00-p", asked),))
    env = result.fold(RuntimeSpec).process.env
    assert env == (*("A=9" if v == "A=1" else v for v in before if v != "B=2"), "NEW=x=y")
    assert source(result, "process", "env", env.index("A=9")) == "NRI plugin 00-p"
    assert source(result, "process", "env", env.index("PATH=/bin")) == source(
        decided, "process", "env", before.index("PATH=/bin")
    )


def test_mounts_are_replaced_removed_and_sorted_by_depth(decided: Decision) -> None:
    asked = ContainerAdjustment(
        mounts=(
            nri.Mount("/a/b/c/d", "bind", "/x", ("rbind", "ro")),
            nri.Mount("/a", "tmpfs", "tmpfs", ("rslave",)),
            nri.Mount("-/dev/mqueue"),
            nri.Mount("/proc", "proc", "proc", ("ro",)),
        )
    )
    before = decided.fold(RuntimeSpec).mounts
    result = adjusted(decided, (by("07-m", asked),))
    spec = result.fold(RuntimeSpec)
    places = [mount.destination for mount in spec.mounts]
    assert sorted(places) == sorted(
        [*(m.destination for m in before if m.destination != "/dev/mqueue"), "/a", "/a/b/c/d"]
    )
    assert [place.count("/") for place in places] == sorted(place.count("/") for place in places)
    assert spec.mounts[places.index("/proc")].options == ("ro",)
    assert source(result, "mounts", places.index("/proc")) == "NRI plugin 07-m"
    assert source(result, "mounts", places.index("/sys")) != "NRI plugin 07-m"
    assert spec.linux.rootfs_propagation == "rslave"


def test_a_device_is_made_and_let_through(decided: Decision) -> None:
    device = nri.Device("/dev/fuse", "c", 10, 229, 0o666, 0, 0)
    result = adjusted(decided, (by("00-p", ContainerAdjustment(linux=LinuxAdjustment(devices=(device,)))),))
    linux = result.fold(RuntimeSpec).linux
    assert [(d.path, d.file_mode) for d in linux.devices] == [("/dev/fuse", 0o666)]
    rules = decided.fold(RuntimeSpec).linux.resources.devices
    assert linux.resources.devices == (*rules, DeviceRule(True, "c", 10, 229, "rw"))


def test_single_values(decided: Decision) -> None:
    seccomp = nri.Seccomp("SCMP_ACT_ERRNO", 1, syscalls=(nri.SeccompRule(("read",), "SCMP_ACT_ALLOW"),))
    asked = ContainerAdjustment(
        args=("", "top", "-b"),
        rlimits=(nri.Rlimit("RLIMIT_NOFILE", 20, 10),),
        annotations={"-n": "", "m": "2"},
        linux=LinuxAdjustment(
            oom_score_adj=7,
            cgroups_path="/other",
            seccomp_policy=seccomp,
            sysctl={"net.x": "1"},
            namespaces=(nri.Namespace("-uts"), nri.Namespace("network", "/n")),
            resources=Resources(
                Memory(limit=1 << 20, swap=2 << 20),
                nri.Cpu(shares=3, realtime_runtime=4, cpus="1"),
                (nri.HugepageLimit("2MB", 5),),
                unified={"memory.high": "6"},
                pids=Pids(7),
            ),
        ),
    )
    result = adjusted(decided, (by("00-p", asked),))
    spec = result.fold(RuntimeSpec)
    assert spec.process.args == ("top", "-b")
    assert spec.process.oom_score_adj == 7
    assert [limit.hard for limit in spec.process.rlimits if limit.type == "RLIMIT_NOFILE"] == [20]
    assert spec.annotations["m"] == "2"
    assert "n" not in spec.annotations
    assert spec.linux.cgroups_path == "/other"
    assert spec.linux.seccomp is not None
    assert spec.linux.seccomp.syscalls[0].names == ("read",)
    assert (spec.linux.seccomp.default_action, spec.linux.seccomp.default_errno_ret) == ("SCMP_ACT_ERRNO", 1)
    assert spec.linux.sysctl == {"net.x": "1"}
    kinds = {namespace.type: namespace.path for namespace in spec.linux.namespaces}
    assert "uts" not in kinds
    assert kinds["network"] == "/n"
    limits = spec.linux.resources
    assert limits.memory is not None
    assert (limits.memory.limit, limits.memory.swap) == (1 << 20, 2 << 20)
    assert limits.cpu is not None
    assert (limits.cpu.shares, limits.cpu.realtime_runtime, limits.cpu.cpus) == (3, 4, "1")
    assert limits.pids is not None
    assert limits.pids.limit == 7
    assert limits.hugepage_limits[0].limit == 5
    assert limits.unified == {"memory.high": "6"}
    assert source(result, "linux", "resources", "pids", "limit") == "NRI plugin 00-p"


def test_the_last_of_a_map_or_list_may_be_removed(decided: Decision) -> None:
    first = adjusted(decided, (by("00-p", ContainerAdjustment(linux=LinuxAdjustment(sysctl={"net.x": "1"}))),))
    asked = ContainerAdjustment(
        linux=LinuxAdjustment(
            sysctl={"-net.x": ""},
            namespaces=tuple(nri.Namespace(f"-{n.type}") for n in decided.fold(RuntimeSpec).linux.namespaces),
        )
    )
    linux = adjusted(first, (by("00-p", asked),)).fold(RuntimeSpec).linux
    assert (linux.sysctl, linux.namespaces) == ({}, ())


def test_a_new_limit_of_memory_is_one_of_swap_where_there_is_one(decided: Decision) -> None:
    def limited(memory: Memory) -> PluginAdjustment:
        return by("00-p", ContainerAdjustment(linux=LinuxAdjustment(resources=Resources(memory))))

    with_swap = adjusted(decided, (limited(Memory(limit=10, swap=20)),))
    memory = adjusted(with_swap, (limited(Memory(limit=30)),)).fold(RuntimeSpec).linux.resources.memory
    assert memory is not None
    assert (memory.limit, memory.swap) == (30, 30)
    memory = adjusted(decided, (limited(Memory(limit=30)),)).fold(RuntimeSpec).linux.resources.memory
    assert memory is not None
    assert memory.swap is None


def test_what_is_refused_is_a_violation_and_changes_nothing(decided: Decision) -> None:
    asked = ContainerAdjustment(args=("x",))
    result = adjusted(decided, (by("00-a", asked), by("01-b", asked)))
    assert result.assignments == decided.assignments
    assert [v.reason for v in result.violations] == ['plugins "01-b" and "00-a" both tried to set args']
    unknown = adjusted(decided, (by("00-a", ContainerAdjustment(cdi_devices=(nri.CDIDevice("x"),))),))
    assert [v.reason for v in unknown.violations] == ["asks for CDI devices, which is not supported"]


def test_plugins_see_what_the_spec_has(decided: Decision) -> None:
    spec = decided.fold(RuntimeSpec)
    seen = view(spec, nri.Container("c1", "p1", "name", annotations={"own": "1"}))
    assert (seen.id, seen.pod_sandbox_id, seen.name) == ("c1", "p1", "name")
    assert (seen.args, seen.env) == (spec.process.args, spec.process.env)
    assert [m.destination for m in seen.mounts] == [m.destination for m in spec.mounts]
    assert seen.annotations == {**spec.annotations, "own": "1"}
    assert seen.linux is not None
    assert seen.linux.cgroups_path == "/pod/c"
    assert seen.linux.resources is not None
    assert len(seen.linux.resources.devices) == len(spec.linux.resources.devices)
