"""The figures of containers and of what they wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.api.cri import ContainerConfig, ContainerMetadata
from podward.runtime.service import stats
from podward.runtime.service.cgroup_figures import CgroupFigures, CpuFigures, MemoryFigures, Pressure
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord

SECOND = 1_000_000_000


@pytest.fixture
def record() -> ContainerRecord:
    config = ContainerConfig(metadata=ContainerMetadata("app", 1), labels={"a": "b"})
    return ContainerRecord("1" * 64, "2" * 64, ContainerPhase.RUNNING, config, "sha256:i", "ref", 5)


def test_a_directory_is_counted_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x" * 10_000)
    size = stats.measure(str(tmp_path))
    assert size.inodes == 3
    assert size.used >= 10_000
    assert size.counted_at > 0


def test_a_link_is_not_followed_and_a_second_name_not_counted(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "up").symlink_to("/usr")
    (tmp_path / "inside" / "file").write_bytes(b"x" * 50_000)
    os.link(tmp_path / "inside" / "file", tmp_path / "inside" / "other")
    size = stats.measure(f"{tmp_path}/inside")
    assert size.inodes == 2
    assert size.used < 100_000


def test_directories_without_an_end_are_counted_to_a_depth(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(stats.MOST_LEVELS * 2):
        os.mkdir("x", dir_fd=place)
        below = os.open("x", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    before = len(os.listdir("/proc/self/fd"))
    assert stats.measure(str(tmp_path)).inodes == stats.MOST_LEVELS + 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_gone_holds_nothing_and_has_a_time(tmp_path: Path) -> None:
    size = stats.measure(f"{tmp_path}/gone")
    assert (size.used, size.inodes) == (0, 0)
    assert size.counted_at > 0


def test_a_size_is_kept_for_a_while(tmp_path: Path) -> None:
    sizes = stats.LayerSizes(seconds=3600)
    first = sizes.of(str(tmp_path))
    (tmp_path / "new").write_text("x")
    assert sizes.of(str(tmp_path)) == first
    sizes.keep_only(())
    assert sizes.of(str(tmp_path)).inodes == 1


def test_the_rate_of_cpu_time_is_known_from_the_second_time_on() -> None:
    rates = stats.CpuRates()
    assert rates.of("x", 10 * SECOND, 5 * SECOND) is None
    assert rates.of("x", 12 * SECOND, 6 * SECOND) == SECOND // 2
    assert rates.of("x", 12 * SECOND + 5, 7 * SECOND) == SECOND // 2
    assert rates.of("another", 12 * SECOND, 6 * SECOND) is None


def test_a_containers_figures_have_times_and_say_whose_they_are(record: ContainerRecord) -> None:
    figures = CgroupFigures(CpuFigures(usage=7), MemoryFigures(usage=900, working_set=800, limit=1000))
    made = stats.container_stats(record, figures, ("/upper", stats.LayerSize(4096, 1, 99)), stats.CpuRates())
    assert made.attributes is not None
    assert made.cpu is not None
    assert made.memory is not None
    assert made.writable_layer is not None
    assert (made.attributes.id, made.attributes.metadata.name, made.attributes.labels) == (record.id, "app", {"a": "b"})
    assert made.cpu.timestamp > 0
    assert made.memory.timestamp > 0
    assert made.writable_layer.timestamp == 99
    assert (made.memory.working_set_bytes, made.memory.available_bytes) == (800, 200)
    assert made.writable_layer.used_bytes == 4096


def test_without_a_limit_nobody_knows_what_is_available(record: ContainerRecord) -> None:
    made = stats.container_stats(record, CgroupFigures(), ("", stats.LayerSize()), stats.CpuRates())
    assert made.memory is not None
    assert made.writable_layer is not None
    assert made.memory.available_bytes is None
    assert made.writable_layer.timestamp > 0


def test_pressure_is_told_in_nanoseconds(record: ContainerRecord) -> None:
    figures = CgroupFigures(pressures={"cpu": (Pressure(total=3), Pressure(total=2))})
    made = stats.container_stats(record, figures, ("", stats.LayerSize()), stats.CpuRates())
    assert made.cpu is not None
    assert made.cpu.psi is not None
    assert made.cpu.psi.some is not None
    assert made.cpu.psi.full is not None
    assert (made.cpu.psi.some.total, made.cpu.psi.full.total) == (3000, 2000)
    assert made.io is None


def test_loopback_is_no_interface_of_a_pod() -> None:
    assert "lo" not in {interface.name for interface in stats.interfaces("/proc/self/ns/net")}
