"""Mount points that must be made in another mount of the container: whether crun and runc can."""

from __future__ import annotations

import pytest

from podward.api.core import Container, VolumeMount
from podward.api.oci import Mount, Process, Root, RuntimeSpec
from podward.decision import Decision, Origin, Source, assign
from podward.path import path
from podward.policy.kernel.mount_points import MountPoint, decide, held, may_be_made
from podward.policy.kernel.mounts import MountFacts
from podward.policy.kernel.propagation import MountSource
from podward.policy.kernel.sources import Sources

LOG = Mount("/data/why", "bind", "/pod/log", ("rbind", "rw"))
LINE = Source(Origin.MANIFEST, "pod.yaml", path("spec", "containers", 0, "terminationMessagePath"))


def bound(*options: str, at: str = "/data") -> Mount:
    return Mount(at, "bind", "/volume", ("rbind", *options))


def decided(*mounts: Mount, runtime: str = "runc", userns: bool = False, source_is_readonly: bool = False) -> Decision:
    spec = RuntimeSpec(oci_version="1.0.2", process=Process(args=("true",), cwd="/"), root=Root("/"), mounts=mounts)
    flags = tuple(MountSource(mount.destination, readonly=True) for mount in mounts[:1] if source_is_readonly)
    origin = assign(path("mounts", len(mounts) - 1), mounts[-1], "terminationMessagePath", LINE)
    return decide(spec, MountFacts(runtime, userns, cgroup_v2=True, sources=flags), held(mounts), Sources(origin))


def test_runc_makes_no_mount_point_in_a_read_only_bind_mount_and_the_line_is_that_of_the_mount() -> None:
    (violation,) = decided(bound("ro"), LOG).violations
    assert violation.reason.startswith("/data/why: it is not there in /data, which is mounted read-only, so runc can't")
    assert "EROFS" in violation.reason
    assert "name a path outside /data, or have /data/why in the volume beforehand" in violation.reason
    assert (violation.path, violation.source) == (path("mounts", 1, "destination"), LINE)


def test_crun_makes_it_for_it_makes_bind_mounts_read_only_at_the_end() -> None:
    assert not decided(bound("ro"), LOG, runtime="crun").refused


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_neither_makes_it_where_rro_is_read_only_at_once(runtime: str) -> None:
    assert decided(bound("rro"), LOG, runtime=runtime).refused


@pytest.mark.parametrize("runtime", ["crun", "runc"])
@pytest.mark.parametrize(
    "holder", [bound("rw"), Mount("/data", "tmpfs", "tmpfs", ("ro",)), bound("ro", at="/database")]
)
def test_both_make_it_in_a_writable_mount_a_tmpfs_and_the_root(runtime: str, holder: Mount) -> None:
    assert not decided(holder, LOG, runtime=runtime).refused


@pytest.mark.parametrize(
    ("runtime", "options", "userns", "refused"),
    [
        ("crun", ("ro",), False, True),
        ("crun", ("rw",), False, False),
        ("crun", ("rw",), True, True),
        ("runc", ("rw",), False, True),
        ("runc", ("rw", "nosuid"), False, False),
    ],
)
def test_a_source_that_is_mounted_read_only_counts_while_the_mount_keeps_its_flags(
    runtime: str, options: tuple[str, ...], *, userns: bool, refused: bool
) -> None:
    found = decided(bound(*options), LOG, runtime=runtime, userns=userns, source_is_readonly=True)
    assert found.refused is refused


def test_what_was_made_through_another_mount_of_the_volume_is_there() -> None:
    nested = Mount("/rw/sub/deep", "bind", "/other", ("rbind",))
    again = Mount("/data/sub", "bind", "/other", ("rbind",))
    assert not decided(bound("rw", at="/rw"), bound("ro"), nested, again).refused
    assert decided(bound("rw", at="/rw"), bound("ro"), again, nested).refused


def test_the_closest_mount_holds_a_mount_point_and_one_that_is_hidden_holds_none() -> None:
    inner, outer = bound(at="/data/inner"), bound()
    log = Mount("/data/inner/log", "bind", "/log", ("bind",))
    assert held((outer, inner, log)) == (MountPoint(1, 0, "inner"), MountPoint(2, 1, "log"))
    assert held((outer, inner, outer, log)) == (MountPoint(1, 0, "inner"), MountPoint(3, 2, "inner/log"))
    assert held((outer, outer)) == ()


def test_links_of_the_image_decide_where_a_mount_lands() -> None:
    mounts = (bound(at="/run"), bound(at="/var/run/sub"))
    assert held(mounts) == ()
    assert held(mounts, ("/run", "/run/sub")) == (MountPoint(1, 0, "sub"),)


@pytest.mark.parametrize(
    ("runtime", "volume_readonly", "mount_readonly", "may"),
    [
        ("runc", False, False, True),
        ("runc", True, False, False),
        ("runc", False, True, False),
        ("crun", True, True, True),
    ],
)
def test_an_earlier_container_may_make_it_where_it_can_write_or_crun_makes_mount_points(
    runtime: str, *, volume_readonly: bool, mount_readonly: bool, may: bool
) -> None:
    first = Container(name="first", volume_mounts=(VolumeMount(name="v", mount_path="/x", read_only=mount_readonly),))
    assert may_be_made("v", (first,), runtime, readonly=volume_readonly) is may
    assert not may_be_made("other", (first,), runtime, readonly=volume_readonly)
