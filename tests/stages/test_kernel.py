"""The kernel stage as a whole: what it predicts, why, and whose line it names."""

from __future__ import annotations

import msgspec
import pytest

from podward.api.capability import BITS, FULL
from podward.api.image import EntryFile
from podward.api.node import Node
from podward.api.oci import (
    CapabilitySets,
    Linux,
    LinuxIDMapping,
    Mount,
    Namespace,
    Process,
    Root,
    RuntimeSpec,
    User,
)
from podward.api.process import MountState, ProcessState
from podward.decision import Decision, Origin, Source, assign
from podward.path import path
from podward.policy.kernel.mount_points import MountPoint
from podward.policy.kernel.propagation import MountSource
from podward.stages import kernel

ENTRY = EntryFile("/bin/true", 0o100755, 0, 0)
HELD = ("CAP_CHOWN", "CAP_KILL")
MASK = BITS["CAP_CHOWN"] | BITS["CAP_KILL"]
OWN = tuple(Namespace(kind) for kind in ("pid", "network", "ipc", "uts", "mount"))
NOTHING = Decision()
PROC = Mount("/proc", "proc", "proc", ("nosuid",))


def process(**changes: object) -> Process:
    plain = Process(args=("true",), cwd="/", capabilities=CapabilitySets(HELD, HELD, HELD))
    return msgspec.structs.replace(plain, **changes)


def make_facts(
    asked: Process | None = None,
    *,
    linux: Linux | None = None,
    mounts: tuple[Mount, ...] = (PROC,),
    node: Node | None = None,
    origin: Decision = NOTHING,
    **execution: object,
) -> kernel.KernelFacts:
    spec = RuntimeSpec(
        oci_version="1.0.2",
        process=asked or process(),
        root=Root("rootfs"),
        mounts=mounts,
        linux=linux or Linux(namespaces=OWN),
    )
    node = node or Node(FULL, special_paths=frozenset(("/proc/keys",)))
    found = msgspec.structs.replace(kernel.ExecutionFacts(ENTRY), **execution)
    return kernel.KernelFacts(spec, node, found, origin)


def predicted(facts: kernel.KernelFacts) -> ProcessState:
    decision = kernel.decide(facts)
    assert not decision.refused, decision.violations
    return decision.fold(ProcessState)


def test_every_field_is_assigned_with_a_reason() -> None:
    decision = kernel.decide(make_facts())
    assert {a.path.segments[0] for a in decision.assignments} == set(ProcessState.__struct_fields__)
    assert all(a.reason and a.source.name for a in decision.assignments)


def test_every_field_is_assigned_for_every_runtime_and_without_a_file() -> None:
    for runtime in ("crun", "runc", "runsc"):
        kernel.decide(make_facts(node=Node(FULL, runtime))).fold(ProcessState)
    decision = kernel.decide(make_facts(entry=None))
    assert decision.fold(ProcessState).cap_permitted == MASK
    assert ["ENOENT" in violation.reason for violation in decision.violations] == [True]


def test_a_value_names_the_source_of_the_line_it_comes_from() -> None:
    manifest = Source(Origin.MANIFEST, "pod.yaml", path("spec", "securityContext", "runAsUser"))
    origin = assign(path("process", "user"), User(), "default", Source(Origin.DEFAULT, "table")) + assign(
        path("process", "user", "uid"), 1000, "runAsUser", manifest
    )
    decision = kernel.decide(make_facts(process(user=User(1000, 5)), origin=origin))
    uid, gid = decision.assignment(path("uid")), decision.assignment(path("gid"))
    assert uid is not None
    assert gid is not None
    assert uid.source == manifest
    assert gid.source.name == "table"


def test_ids_are_the_hosts_in_a_user_namespace() -> None:
    lines = (LinuxIDMapping(0, 200000, 65536),)
    linux = Linux(uid_mappings=lines, gid_mappings=lines, namespaces=(*OWN, Namespace("user")))
    state = predicted(make_facts(process(user=User(5, 6, (8, 7))), linux=linux))
    assert state.uid == (200005,) * 4
    assert state.gid == (200006,) * 4
    assert state.groups == (200007, 200008)
    assert state.uid_map == ((0, 200000, 65536),)


def test_a_user_namespace_without_mappings_is_refused() -> None:
    decision = kernel.decide(make_facts(linux=Linux(namespaces=(*OWN, Namespace("user", "/run/ns")))))
    assert "without mappings" in decision.violations[0].reason


def test_more_than_five_lines_are_kept_sorted_by_the_kernel() -> None:
    lines = tuple(LinuxIDMapping(number, 100000 + number, 1) for number in (5, 4, 3, 2, 1, 0))
    linux = Linux(uid_mappings=lines, gid_mappings=lines[:5], namespaces=(*OWN, Namespace("user")))
    state = kernel.decide(make_facts(process(user=User(1, 1)), linux=linux)).fold(ProcessState)
    assert [line[0] for line in state.uid_map] == [0, 1, 2, 3, 4, 5]
    assert [line[0] for line in state.gid_map] == [5, 4, 3, 2, 1]


def test_the_host_shares_what_the_spec_does_not_list() -> None:
    linux = Linux(namespaces=(Namespace("mount"), Namespace("network", "/run/netns/pod")))
    assert predicted(make_facts(linux=linux)).host_namespaces == ("cgroup", "ipc", "pid", "user", "uts")


def test_only_masked_paths_that_exist_and_are_mounted_count() -> None:
    linux = Linux(namespaces=OWN, masked_paths=("/proc/keys", "/proc/none"), readonly_paths=("/proc/keys",))
    state = predicted(make_facts(linux=linux))
    assert (state.masked, state.readonly_paths) == (("/proc/keys",), ("/proc/keys",))
    assert predicted(make_facts(linux=linux, mounts=())).masked == ()


def test_a_volume_at_a_masked_or_read_only_path_is_covered_too() -> None:
    linux = Linux(namespaces=OWN, masked_paths=("/sys/firmware",), readonly_paths=("/proc/sys",))
    bound = tuple(Mount(place, "bind", "/v", ("rbind", "nosuid")) for place in ("/sys/firmware", "/proc/sys"))
    state = predicted(make_facts(linux=linux, mounts=(PROC, *bound)))
    assert (state.masked, state.readonly_paths) == (("/sys/firmware",), ("/proc/sys",))
    flags = {mount.destination: (mount.readonly, mount.nosuid) for mount in state.mounts}
    assert flags == {"/proc": (False, True), "/sys/firmware": (True, False), "/proc/sys": (True, True)}


@pytest.mark.parametrize("place", ["/proc/sys", "/proc/self", "/proc/1/attr", "/proc"])
def test_runc_mounts_nothing_below_proc(place: str) -> None:
    mounts = (PROC, Mount(place, "bind", "/v", ("rbind",)))
    assert kernel.decide(make_facts(mounts=mounts, node=Node(FULL))).refused is False
    (violation,) = kernel.decide(make_facts(mounts=mounts, node=Node(FULL, "runc"))).violations
    assert violation.reason.startswith(f"{place}: runc")


def test_a_mount_point_that_runc_cannot_make_refuses_the_container() -> None:
    mounts = (PROC, Mount("/data", "bind", "/v", ("rbind", "ro")), Mount("/data/why", "bind", "/log", ("rbind",)))
    missing = (MountPoint(2, 1, "why"),)
    assert not kernel.decide(make_facts(mounts=mounts, node=Node(FULL, "runc"))).refused
    assert not kernel.decide(make_facts(mounts=mounts, missing_mount_points=missing)).refused
    refused = kernel.decide(make_facts(mounts=mounts, node=Node(FULL, "runc"), missing_mount_points=missing))
    assert [violation.value for violation in refused.violations] == ["/data/why"]


@pytest.mark.parametrize(
    "mount", [Mount("/proc/meminfo", "bind", "/v", ("bind",)), Mount("/proc", "bind", "/proc", ("rbind",))]
)
def test_runc_takes_a_few_files_there_and_a_proc(mount: Mount) -> None:
    assert not kernel.decide(make_facts(mounts=(PROC, mount), node=Node(FULL, "runc"))).refused


def test_an_environment_that_execve_refuses_is_foreseen() -> None:
    asked = process(env=("A=" + "x" * 200_000,))
    assert "E2BIG" in kernel.decide(make_facts(asked)).violations[0].reason


def test_groups_given_twice_stay_twice_under_crun_only() -> None:
    asked = process(user=User(1, 1, (9, 4, 9)))
    assert predicted(make_facts(asked)).groups == (4, 9, 9)
    assert predicted(make_facts(asked, node=Node(FULL, "runc"))).groups == (4, 9)


@pytest.mark.parametrize(
    ("value", "inherited", "machine", "refused"),
    [(-5, 0, 0, "EACCES"), (-5, 0, FULL, ""), (100, 200, 0, "EACCES"), (200, 200, 0, ""), (-1001, 0, FULL, "EINVAL")],
)
def test_an_oom_score_is_lowered_with_a_capability_only(value: int, inherited: int, machine: int, refused: str) -> None:
    asked = process(oom_score_adj=value, capabilities=None)
    facts = make_facts(asked, node=Node(machine), inherited=kernel.Inherited(inherited))
    decision = kernel.decide(facts)
    assert decision.fold(ProcessState).oom_score_adj == value
    assert [refused in violation.reason for violation in decision.violations] == ([True] if refused else [])


def test_what_the_spec_leaves_out_is_inherited() -> None:
    facts = make_facts(node=Node(FULL, lsm="selinux"), inherited=kernel.Inherited(300, "u:r:t:s0"))
    state = predicted(facts)
    assert (state.oom_score_adj, state.label) == (300, "u:r:t:s0")


@pytest.mark.parametrize(
    ("lsm", "label"),
    [("", None), ("apparmor", "profile"), ("selinux", "u:r:c:s0:c1,c2")],
)
def test_the_label_is_that_of_the_machines_module(lsm: str, label: str | None) -> None:
    asked = process(apparmor_profile="profile", selinux_label="u:r:c:s0:c1,c2")
    assert predicted(make_facts(asked, node=Node(FULL, lsm=lsm))).label == label


@pytest.mark.parametrize("lsm", ["", "apparmor"])
@pytest.mark.parametrize("label", [None, "unconfined", "docker-default"])
def test_without_a_profile_the_label_is_that_of_who_starts_the_runtime(lsm: str, label: str | None) -> None:
    """In a container of another engine the machine's AppArmor is out of sight, and labels all the same."""
    facts = make_facts(node=Node(FULL, lsm=lsm), inherited=kernel.Inherited(label=label))
    assert predicted(facts).label == label


def test_a_set_user_id_file_on_a_nosuid_mount_is_an_ordinary_one() -> None:
    file = EntryFile("/data/x", 0o104755, 0, 0)
    volume = Mount("/data", "bind", "/srv", ("rbind", "nosuid"))
    asked = process(user=User(1000, 1000))
    assert predicted(make_facts(asked, entry=file)).uid == (1000, 0, 0, 0)
    assert predicted(make_facts(asked, entry=file, mounts=(volume,))).uid == (1000,) * 4


def test_a_nosuid_root_counts_where_the_runtime_keeps_it() -> None:
    file = EntryFile("/x", 0o104755, 0, 0, nosuid=True)
    facts = make_facts(process(user=User(1000, 1000)), entry=file)
    assert predicted(facts).uid == (1000, 0, 0, 0)
    runc = msgspec.structs.replace(facts, node=Node(FULL, "runc"))
    assert predicted(runc).uid == (1000,) * 4
    told = msgspec.structs.replace(runc, execution=kernel.ExecutionFacts(file, (MountSource("/"),)))
    assert predicted(told).uid == (1000, 0, 0, 0)


def test_cgroup_version_1_is_writable_at_its_root() -> None:
    mounts = (Mount("/sys/fs/cgroup", "cgroup", "cgroup", ("nosuid", "ro")),)
    facts = make_facts(mounts=mounts)
    assert predicted(facts).mounts == (MountState("/sys/fs/cgroup", readonly=True, nosuid=True),)
    old = msgspec.structs.replace(facts, execution=kernel.ExecutionFacts(ENTRY, cgroup_v2=False))
    assert predicted(old).mounts == (MountState("/sys/fs/cgroup", nosuid=True),)


@pytest.mark.parametrize(
    ("runtime", "own", "spreads"),
    [
        ("runc", ("user",), "slave"),
        ("runc", ("user", "cgroup"), "private"),
        ("runc", (), "private"),
        ("crun", ("user",), "private"),
        ("runc", ("ours",), "slave"),
        ("runc", ("ours", "cgroup"), "private"),
        ("crun", ("ours",), "private"),
    ],
)
def test_runc_binds_the_cgroups_that_a_user_namespace_may_not_mount(
    runtime: str, own: tuple[str, ...], spreads: str
) -> None:
    mounts = (Mount("/sys/fs/cgroup", "cgroup", "cgroup", ("nosuid", "ro")),)
    lines = (LinuxIDMapping(0, 200000, 65536),) if "user" in own else ()
    listed = tuple(Namespace(name) for name in ("mount", *own) if name != "ours")
    linux = Linux(uid_mappings=lines, gid_mappings=lines, namespaces=listed)
    spread = (MountSource("/sys/fs/cgroup", nosuid=True, propagation="slave" if "ours" in own else "shared"),)
    node = Node(FULL, runtime, uid_map=((0, 1000, 1),)) if "ours" in own else Node(FULL, runtime)
    facts = make_facts(linux=linux, mounts=mounts, node=node, source_flags=spread)
    assert predicted(facts).mounts == (MountState("/sys/fs/cgroup", readonly=True, nosuid=True, propagation=spreads),)


def test_a_sandbox_reports_in_its_own_way() -> None:
    names = (*HELD, "CAP_NET_RAW")
    asked = process(
        user=User(1000, 1, (9, 4, 9)), no_new_privileges=True, capabilities=CapabilitySets(names, names, names)
    )
    state = predicted(make_facts(asked, node=Node(FULL, "runsc")))
    assert (state.cap_effective, state.cap_bounding) == (MASK, MASK)
    assert state.groups == (9, 4, 9)
    assert (state.no_new_privs, state.seccomp) == (False, 0)
    many = process(capabilities=CapabilitySets(("CAP_BPF",)))
    assert "CAP_BPF" in kernel.decide(make_facts(many, node=Node(FULL, "runsc"))).violations[0].reason
