"""The container's mounts, as each runtime writes them."""

from __future__ import annotations

import pytest

from podward.api.cri import (
    ContainerConfig,
    ImageSpec,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    NamespaceOption,
    UserNamespace,
)
from podward.api.cri import Mount as Asked
from podward.api.oci import Mount
from podward.decision import Decision
from podward.policy.runtime import mounts
from podward.policy.runtime.defaults import load
from podward.policy.runtime.mount_refusals import MountSource
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
SHM = "/dev/shm"  # noqa: S108  # a path in the container
FILES = mounts.SandboxFiles(hostname="/pod/hostname", hosts="/pod/hosts", resolv_conf="/pod/resolv", shm="/pod/shm")
PLAIN = LinuxContainerSecurityContext()


def decided(
    runtime: str,
    *asked: Asked,
    context: LinuxContainerSecurityContext = PLAIN,
    files: mounts.SandboxFiles = FILES,
) -> Decision:
    config = ContainerConfig(mounts=asked, linux=LinuxContainerConfig(security_context=context))
    return mounts.decide(config, files, RuntimeProfile(load(runtime), Decision()))


def listed(decision: Decision) -> list[Mount]:
    return [a.value for a in decision.assignments if isinstance(a.value, Mount)]


def by_place(decision: Decision) -> dict[str, Mount]:
    found = listed(decision)
    places = {mount.destination: mount for mount in found}
    assert len(places) == len(found)
    return places


@pytest.mark.parametrize("runtime", ALL)
def test_each_place_is_mounted_once_and_parents_come_first(runtime: str) -> None:
    destinations = [mount.destination for mount in listed(decided(runtime))]
    assert set(destinations) == {
        *("/proc", "/dev", "/dev/pts", SHM, "/dev/mqueue", "/sys", "/sys/fs/cgroup"),
        *("/etc/hostname", "/etc/hosts", "/etc/resolv.conf"),
    }
    for place, destination in enumerate(destinations):
        assert not any(destination.startswith(later + "/") for later in destinations[place + 1 :])


def test_containerd_s_own_mounts() -> None:
    places = by_place(decided("containerd"))
    assert places["/proc"] == Mount("/proc", "proc", "proc", ("nosuid", "noexec", "nodev"))
    assert places["/dev"].options == ("nosuid", "strictatime", "mode=755", "size=65536k")
    assert places["/dev/pts"].options == ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")
    assert places["/sys"].options == ("nosuid", "noexec", "nodev", "ro")
    assert places["/sys/fs/cgroup"].options == ("nosuid", "noexec", "nodev", "relatime", "ro")
    assert places[SHM] == Mount(SHM, "bind", "/pod/shm", ("rbind", "rprivate", "rw"))
    assert places["/etc/hosts"] == Mount("/etc/hosts", "bind", "/pod/hosts", ("rbind", "rprivate", "rw"))


@pytest.mark.parametrize(("runtime", "word"), [("containerd", "ro"), ("cri-o", "ro"), ("docker", "rro")])
def test_the_pod_s_files_are_read_only_with_a_read_only_root(runtime: str, word: str) -> None:
    places = by_place(decided(runtime, context=LinuxContainerSecurityContext(readonly_rootfs=True)))
    for place in ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf"):
        assert word in places[place].options
    assert word not in places[SHM].options


@pytest.mark.parametrize("runtime", ALL)
def test_privileged_makes_sys_and_the_cgroups_writable(runtime: str) -> None:
    ordinary = by_place(decided(runtime))
    places = by_place(decided(runtime, context=LinuxContainerSecurityContext(privileged=True)))
    for place in ("/sys", "/sys/fs/cgroup"):
        assert "ro" in ordinary[place].options
        assert "ro" not in places[place].options


@pytest.mark.parametrize("runtime", ALL)
def test_shm_is_the_host_s_with_the_host_s_ipc(runtime: str) -> None:
    context = LinuxContainerSecurityContext(namespace_options=NamespaceOption(ipc="NODE"))
    assert by_place(decided(runtime, context=context))[SHM].source == SHM


@pytest.mark.parametrize("runtime", ALL)
def test_a_pod_without_files_has_the_runtime_s_own_shm(runtime: str) -> None:
    places = by_place(decided(runtime, files=mounts.SandboxFiles()))
    assert places[SHM].type == "tmpfs"
    assert "/etc/hosts" not in places


@pytest.mark.parametrize("runtime", ALL)
def test_a_mount_of_the_message_takes_the_place_of_the_runtime_s(runtime: str) -> None:
    places = by_place(decided(runtime, Asked("/etc/hosts/", "/own"), Asked(SHM, "/shared")))
    assert places[SHM].source == "/shared"
    assert places["/etc/hosts/"].source == "/own"
    assert "/etc/hosts" not in places


@pytest.mark.parametrize("runtime", ALL)
def test_a_mount_at_dev_takes_all_below_it(runtime: str) -> None:
    places = by_place(decided(runtime, Asked("/dev", "/dev"), files=mounts.SandboxFiles()))
    assert [place for place in places if place.startswith("/dev")] == ["/dev"]


def test_only_cri_o_takes_what_is_below_a_mount_at_sys() -> None:
    assert "/sys/fs/cgroup" not in by_place(decided("cri-o", Asked("/sys", "/sys")))
    assert "/sys/fs/cgroup" in by_place(decided("containerd", Asked("/sys", "/sys")))


@pytest.mark.parametrize("runtime", ALL)
def test_mounts_of_the_message_come_by_depth_and_else_as_they_stood(runtime: str) -> None:
    asked = (Asked("/a/b/c", "/1"), Asked("/z", "/2"), Asked("/a/b", "/3"), Asked("/b", "/4"))
    sources = [mount.source for mount in listed(decided(runtime, *asked, files=mounts.SandboxFiles()))]
    assert sources[-4:] == ["/2", "/4", "/3", "/1"]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (Asked("/d", "/v"), ("rbind", "rprivate", "rw")),
        (Asked("/d", "/v", readonly=True), ("rbind", "rprivate", "ro")),
        (Asked("/d", "/v", readonly=True, recursive_read_only=True), ("rbind", "rprivate", "rro")),
        (Asked("/d", "/v", propagation="PROPAGATION_HOST_TO_CONTAINER"), ("rbind", "rslave", "rw")),
        (Asked("/d", "/v", propagation="PROPAGATION_BIDIRECTIONAL"), ("rbind", "rshared", "rw")),
    ],
)
def test_options_of_a_volume(asked: Asked, options: tuple[str, ...]) -> None:
    assert by_place(decided("containerd", asked))["/d"] == Mount("/d", "bind", "/v", options)
    assert by_place(decided("cri-o", asked))["/d"].options == (*options, "bind")


def test_docker_s_read_only_is_recursive() -> None:
    places = by_place(decided("docker", Asked("/d", "/v", readonly=True), Asked("/e", "/w")))
    assert places["/d"].options == ("rbind", "rro", "rprivate")
    assert places["/e"].options == ("rbind", "rprivate")


@pytest.mark.parametrize(
    ("runtime", "words", "expected"),
    [
        ("containerd", ("PROPAGATION_HOST_TO_CONTAINER",), "rslave"),
        ("containerd", ("PROPAGATION_HOST_TO_CONTAINER", "PROPAGATION_BIDIRECTIONAL"), "rshared"),
        ("docker", ("PROPAGATION_BIDIRECTIONAL",), "shared"),
    ],
)
def test_the_root_propagates_as_the_strongest_mount(runtime: str, words: tuple[str, ...], expected: str) -> None:
    asked = (Asked(f"/d{i}", "/v", propagation=word) for i, word in enumerate(words))
    assert decided(runtime, *asked).assignments[-1].value == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked("/d", "/v", recursive_read_only=True), "conflicts with RW mount"),
        (
            Asked("/d", "/v", True, True, propagation="PROPAGATION_BIDIRECTIONAL"),
            'needs private propagation, got "PROPAGATION_BIDIRECTIONAL" (hostPath="/v")',
        ),
    ],
)
def test_recursive_read_only_needs_its_conditions(asked: Asked, words: str) -> None:
    (violation,) = decided("containerd", asked).violations
    assert words in violation.reason


def test_an_own_user_namespace_on_the_host_s_network_binds_the_host_s_sys_last() -> None:
    context = LinuxContainerSecurityContext(
        namespace_options=NamespaceOption(network="NODE", userns_options=UserNamespace("POD"))
    )
    *others, last = listed(decided("containerd", context=context))
    assert (last.destination, last.type) == ("/sys", "bind")
    assert "/sys" not in {mount.destination for mount in others}


def test_a_mount_comes_from_where_its_source_was_made() -> None:
    asked = (Asked("/a", "/given"), Asked("/image", "", True, image=ImageSpec("i")))
    sources = (MountSource(), MountSource("/made"))
    config = ContainerConfig(mounts=asked)
    places = by_place(mounts.decide(config, FILES, RuntimeProfile(load("containerd"), Decision()), sources=sources))
    assert (places["/a"].source, places["/image"].source) == ("/given", "/made")
    assert places["/image"].options == ("rbind", "rprivate", "ro")
