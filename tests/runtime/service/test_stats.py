"""The figures of containers and of what they wrote."""

from __future__ import annotations

import pytest

from podward.api.cri import ContainerConfig, ContainerMetadata
from podward.runtime.service import stats
from podward.runtime.service.cgroup_figures import CgroupFigures, CpuFigures, MemoryFigures, Pressure
from podward.runtime.service.layer_sizes import LayerSize
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord

SECOND = 1_000_000_000


@pytest.fixture
def record() -> ContainerRecord:
    config = ContainerConfig(metadata=ContainerMetadata("app", 1), labels={"a": "b"})
    return ContainerRecord("1" * 64, "2" * 64, ContainerPhase.RUNNING, config, "sha256:i", "ref", 5)


def test_the_rate_of_cpu_time_is_known_from_the_second_time_on() -> None:
    rates = stats.CpuRates()
    assert rates.of("x", 10 * SECOND, 5 * SECOND) is None
    assert rates.of("x", 12 * SECOND, 6 * SECOND) == SECOND // 2
    assert rates.of("x", 12 * SECOND + 5, 7 * SECOND) == SECOND // 2
    assert rates.of("another", 12 * SECOND, 6 * SECOND) is None


def test_a_containers_figures_have_times_and_say_whose_they_are(record: ContainerRecord) -> None:
    figures = CgroupFigures(CpuFigures(usage=7), MemoryFigures(usage=900, working_set=800, limit=1000))
    made = stats.container_stats(record, figures, ("/upper", LayerSize(4096, 1, 99)), stats.CpuRates())
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
    made = stats.container_stats(record, CgroupFigures(), ("", LayerSize()), stats.CpuRates())
    assert made.memory is not None
    assert made.writable_layer is not None
    assert made.memory.available_bytes is None
    assert made.writable_layer.timestamp > 0


def test_pressure_is_told_in_nanoseconds(record: ContainerRecord) -> None:
    figures = CgroupFigures(pressures={"cpu": (Pressure(total=3), Pressure(total=2))})
    made = stats.container_stats(record, figures, ("", LayerSize()), stats.CpuRates())
    assert made.cpu is not None
    assert made.cpu.psi is not None
    assert made.cpu.psi.some is not None
    assert made.cpu.psi.full is not None
    assert (made.cpu.psi.some.total, made.cpu.psi.full.total) == (3000, 2000)
    assert made.io is None


def test_loopback_is_no_interface_of_a_pod() -> None:
    assert "lo" not in {interface.name for interface in stats.interfaces("/proc/self/ns/net")}
