"""What several NRI plugins ask for, one after the other."""

from __future__ import annotations

import pytest

from podward.api.nri import (
    CDIDevice,
    CompoundOwners,
    Container,
    ContainerAdjustment,
    ContainerUpdate,
    Cpu,
    Device,
    FieldOwners,
    Hook,
    Hooks,
    IOPriority,
    KeyValue,
    LinuxAdjustment,
    LinuxUpdate,
    Memory,
    MemoryPolicy,
    Mount,
    Namespace,
    OwningPlugins,
    Pids,
    Rdt,
    Resources,
    Rlimit,
    Scheduler,
)
from podward.policy.runtime.nri_collecting import Creation, Updates

CONTAINER = Container(
    "c1",
    args=("sleep", "1"),
    env=("PATH=/bin", "A=1"),
    mounts=(Mount("/proc", "proc", "proc"), Mount("/data", "bind", "/srv", ("rbind",))),
    annotations={"a": "1"},
)


def resources(**members: object) -> ContainerAdjustment:
    return ContainerAdjustment(linux=LinuxAdjustment(resources=Resources(**members)))  # type: ignore[arg-type]


def took(*asked: ContainerAdjustment, container: Container = CONTAINER) -> Creation:
    """What comes of plugins `00-p`, `01-p`, …, of which none is refused."""
    creation = Creation(container)
    for i, adjustment in enumerate(asked):
        assert creation.take(f"0{i}-p", adjustment, ()) == ""
    return creation


def test_the_next_plugin_sees_what_those_before_it_changed() -> None:
    changed = took(
        ContainerAdjustment(
            annotations={"-a": "", "b": "2"},
            mounts=(Mount("-/data"), Mount("/new", "tmpfs", "tmpfs")),
            env=(KeyValue("A", "2"), KeyValue("B", "3"), KeyValue("-PATH")),
            args=("sh",),
            rlimits=(Rlimit("RLIMIT_NOFILE", 2, 1),),
            linux=LinuxAdjustment(
                devices=(Device("/dev/x", "c", 1, 2),),
                namespaces=(Namespace("uts", "/ns"),),
                sysctl={"kernel.x": "1"},
                oom_score_adj=5,
                cgroups_path="/c",
                resources=Resources(Memory(7), Cpu(cpus="0-1"), unified={"memory.high": "1"}, pids=Pids(9)),
            ),
        )
    ).container
    assert changed.annotations == {"b": "2"}
    assert [mount.destination for mount in changed.mounts] == ["/proc", "/new"]
    assert changed.env == ("A=2", "B=3")
    assert changed.args == ("sh",)
    assert changed.rlimits[0].hard == 2
    assert changed.linux is not None
    assert changed.linux.devices[0].path == "/dev/x"
    assert changed.linux.namespaces == (Namespace("uts", "/ns"),)
    assert (changed.linux.sysctl, changed.linux.oom_score_adj) == ({"kernel.x": "1"}, 5)
    assert changed.linux.cgroups_path == "/c"
    assert changed.linux.resources == Resources(Memory(7), Cpu(cpus="0-1"), unified={"memory.high": "1"}, pids=Pids(9))


BOTH = [
    ContainerAdjustment(annotations={"b": "2"}),
    ContainerAdjustment(mounts=(Mount("/m"),)),
    ContainerAdjustment(env=(KeyValue("A", "2"),)),
    ContainerAdjustment(args=("sh",)),
    ContainerAdjustment(rlimits=(Rlimit("RLIMIT_NOFILE", 2, 1),)),
    ContainerAdjustment(linux=LinuxAdjustment(devices=(Device("/dev/x"),))),
    ContainerAdjustment(linux=LinuxAdjustment(namespaces=(Namespace("uts"),))),
    ContainerAdjustment(linux=LinuxAdjustment(sysctl={"kernel.x": "1"})),
    ContainerAdjustment(linux=LinuxAdjustment(oom_score_adj=0)),
    ContainerAdjustment(linux=LinuxAdjustment(cgroups_path="/c")),
    resources(memory=Memory(limit=0)),
    resources(cpu=Cpu(mems="0")),
    resources(pids=Pids(1)),
    resources(unified={"memory.high": "1"}),
]


@pytest.mark.parametrize("adjustment", BOTH)
def test_two_plugins_that_set_the_same_are_refused(adjustment: ContainerAdjustment) -> None:
    creation = took(adjustment)
    refused = creation.take("10-other", adjustment, ())
    assert refused.startswith('plugins "10-other" and "00-p" both tried to set ')
    assert creation.adjustments == took(adjustment).adjustments


@pytest.mark.parametrize("adjustment", [a for a in BOTH if not a.linux])
def test_two_plugins_may_set_different_items(adjustment: ContainerAdjustment) -> None:
    other = ContainerAdjustment(
        annotations={"z": "2"}, mounts=(Mount("/z"),), env=(KeyValue("Z"),), rlimits=(Rlimit("RLIMIT_CORE"),)
    )
    took(adjustment, other)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ContainerAdjustment(env=(KeyValue("A", "2"),)), ContainerAdjustment(env=(KeyValue("A", "3"), KeyValue("-A")))),
        (ContainerAdjustment(args=("x",)), ContainerAdjustment(args=("", "y"))),
        (ContainerAdjustment(mounts=(Mount("/m"),)), ContainerAdjustment(mounts=(Mount("-/m"), Mount("/m", "x")))),
        (ContainerAdjustment(annotations={"k": "1"}), ContainerAdjustment(annotations={"k": "2", "-k": ""})),
    ],
)
def test_who_removes_what_another_set_may_set_it_anew_and_nobody_after_it(
    first: ContainerAdjustment, second: ContainerAdjustment
) -> None:
    creation = took(first, second)
    assert creation.take("02-p", first, ()).startswith('plugins "02-p" and "01-p" both tried to set ')


@pytest.mark.parametrize(
    ("adjustment", "name"),
    [
        (ContainerAdjustment(hooks=Hooks(prestart=(Hook("/x"),))), "hooks"),
        (ContainerAdjustment(cdi_devices=(CDIDevice("x"),)), "CDI devices"),
        (ContainerAdjustment(linux=LinuxAdjustment(io_priority=IOPriority())), "an I/O priority"),
        (ContainerAdjustment(linux=LinuxAdjustment(scheduler=Scheduler())), "a scheduler"),
        (ContainerAdjustment(linux=LinuxAdjustment(rdt=Rdt())), "RDT"),
        (ContainerAdjustment(linux=LinuxAdjustment(memory_policy=MemoryPolicy())), "a memory policy"),
        (resources(memory=Memory(swappiness=0)), "memory.swappiness"),
        (resources(blockio_class=""), "a block I/O class"),
        (ContainerAdjustment(mounts=(Mount("-"),)), "one of mounts without a name"),
        (ContainerAdjustment(env=(KeyValue("", "x"),)), "one of env without a name"),
    ],
)
def test_what_is_not_done_is_refused(adjustment: ContainerAdjustment, name: str) -> None:
    refused = Creation(CONTAINER).take("00-p", adjustment, ())
    assert refused == f'plugin "00-p" asks for {name}, which is not supported'


def test_validators_are_told_of_everything_and_of_who_set_it() -> None:
    creation = took(
        ContainerAdjustment(mounts=(Mount("/m"), Mount("-/data")), env=(KeyValue("X", "1"),)),
        ContainerAdjustment(args=("x",), linux=LinuxAdjustment(oom_score_adj=1, sysctl={"-k": ""})),
    )
    adjustment = creation.adjustment
    assert {mount.destination for mount in adjustment.mounts} == {"/m", "-/data"}
    assert adjustment.env == (KeyValue("X", "1"),)
    assert adjustment.args == ("x",)
    assert adjustment.linux is not None
    assert (adjustment.linux.oom_score_adj, adjustment.linux.sysctl) == (1, {"-k": ""})
    assert creation.owners == OwningPlugins(
        {
            "c1": FieldOwners(
                {7: "01-p", 29: "01-p"}, {2: CompoundOwners({"/m": "00-p"}), 6: CompoundOwners({"X": "00-p"})}
            )
        }
    )


def update(container: str, *, ignore_failure: bool = False, **members: object) -> ContainerUpdate:
    return ContainerUpdate(container, LinuxUpdate(Resources(**members)), ignore_failure)  # type: ignore[arg-type]


def test_updates_of_one_container_become_one() -> None:
    updates = Updates("c1", Resources(Memory(limit=5), Cpu(shares=2)))
    assert updates.take("00-p", (update("c1", memory=Memory(limit=6)), update("c2", cpu=Cpu(shares=1)))) == ""
    assert updates.take("01-p", (update("c2", pids=Pids(1), ignore_failure=True),)) == ""
    first, second = updates.result
    assert first.linux is not None
    assert first.linux.resources == Resources(Memory(limit=6), Cpu(shares=2))
    assert second.linux is not None
    assert second.linux.resources == Resources(Memory(), Cpu(shares=1), pids=Pids(1))
    assert (first.ignore_failure, second.ignore_failure) == (False, False)


def test_conflicting_updates_are_refused_unless_they_may_fail() -> None:
    updates = Updates()
    assert updates.take("00-p", (update("c2", pids=Pids(1)),)) == ""
    assert updates.take("01-p", (update("c2", pids=Pids(2), ignore_failure=True),)) == ""
    assert "both tried to set pids limit" in updates.take("01-p", (update("c2", pids=Pids(2)),))
    (result,) = updates.result
    assert result.linux is not None
    assert result.linux.resources is not None
    assert result.linux.resources.pids == Pids(1)


def test_a_container_that_is_being_created_is_adjusted_and_not_updated() -> None:
    refused = Creation(CONTAINER).take("00-p", None, (update("c1", pids=Pids(1)),))
    assert refused == 'plugin "00-p" asked update of "c1" during creation'
