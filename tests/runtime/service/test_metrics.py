"""Metrics of containers and Pods: cAdvisor's names, and as many values of labels as there are labels."""

from __future__ import annotations

import os

import pytest

from podward.api.cri import ContainerConfig, ContainerMetadata, ImageSpec, PodSandboxConfig, PodSandboxMetadata
from podward.api.cri_stats import PodSandboxMetrics
from podward.runtime.kept import Process
from podward.runtime.oci import Engine
from podward.runtime.service import metrics
from podward.runtime.service.cgroup_figures import CgroupFigures, CpuFigures, Pressure, Traffic
from podward.runtime.service.layer_sizes import LayerSize
from podward.runtime.service.phases import ContainerPhase, SandboxPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.stats import Interface

ASKED = """
    container_blkio_device_usage_total container_cpu_cfs_periods_total container_cpu_cfs_throttled_periods_total
    container_cpu_cfs_throttled_seconds_total container_cpu_system_seconds_total container_cpu_usage_seconds_total
    container_cpu_user_seconds_total container_file_descriptors container_fs_inodes_free container_fs_inodes_total
    container_fs_limit_bytes container_fs_reads_bytes_total container_fs_reads_total container_fs_usage_bytes
    container_fs_writes_bytes_total container_fs_writes_total container_last_seen container_memory_cache
    container_memory_failcnt container_memory_failures_total container_memory_kernel_usage
    container_memory_mapped_file container_memory_max_usage_bytes container_memory_rss container_memory_swap
    container_memory_usage_bytes container_memory_working_set_bytes container_network_receive_bytes_total
    container_network_receive_errors_total container_network_receive_packets_dropped_total
    container_network_receive_packets_total container_network_transmit_bytes_total
    container_network_transmit_errors_total container_network_transmit_packets_dropped_total
    container_network_transmit_packets_total container_oom_events_total container_processes container_sockets
    container_spec_cpu_period container_spec_cpu_quota container_spec_cpu_shares container_spec_memory_limit_bytes
    container_spec_memory_swap_limit_bytes container_start_time_seconds container_threads container_threads_max
    container_ulimits_soft
"""
"""What the conformance suite asks of every runtime, without what it allows to be missing."""


@pytest.fixture
def made() -> PodSandboxMetrics:
    sandbox = SandboxRecord(
        "1" * 64,
        SandboxPhase.READY,
        PodSandboxConfig(metadata=PodSandboxMetadata("web", "uid", "shop", 0)),
        "",
        Engine("crun", "/usr/bin/crun", ()),
        1,
    )
    config = ContainerConfig(metadata=ContainerMetadata("app"), image=ImageSpec("sha256:x", user_specified_image="i:1"))
    container = ContainerRecord(
        "2" * 64, sandbox.id, ContainerPhase.RUNNING, config, "", "", 5, process=Process(os.getpid(), 1)
    )
    figures = CgroupFigures(
        CpuFigures(usage=3_500_000_000),
        processes=(os.getpid(),),
        traffic=(Traffic(8, 0, 1, 2, 3, 4),),
        pressures={"cpu": (Pressure(total=2_000_000), Pressure())},
    )
    found = metrics.sample(container, figures, LayerSize(4096, 1, 5))
    return metrics.sandbox_metrics(sandbox, (Interface("eth0", 7),), (found,))


def test_every_metric_that_is_asked_for_is_described_and_given(made: PodSandboxMetrics) -> None:
    described = {each.name for each in metrics.descriptors()}
    given = {each.name for each in (*made.metrics, *made.container_metrics[0].metrics)}
    assert sorted(set(ASKED.split()) - described) == []
    assert sorted(set(ASKED.split()) - given) == []


def test_a_metric_has_a_value_for_each_of_its_labels(made: PodSandboxMetrics) -> None:
    keys = {each.name: each.label_keys for each in metrics.descriptors()}
    wrong = [m for m in (*made.metrics, *made.container_metrics[0].metrics) if len(m.label_values) != len(keys[m.name])]
    assert wrong == []


def test_a_described_metric_has_a_meaning_and_one_description() -> None:
    described = metrics.descriptors()
    assert all(each.help for each in described)
    assert len({each.name for each in described}) == len(described)


def test_labels_say_which_container_of_which_pod(made: PodSandboxMetrics) -> None:
    labels = dict(zip(metrics.LABELS, made.container_metrics[0].metrics[0].label_values, strict=False))
    assert labels == {
        "id": "2" * 64, "name": "app", "image": "i:1", "namespace": "shop", "pod": "web", "container": "app",
    }  # fmt: skip


def test_cpu_time_is_told_in_whole_seconds(made: PodSandboxMetrics) -> None:
    values = {each.name: each.value for each in made.container_metrics[0].metrics}
    assert values["container_cpu_usage_seconds_total"] == 3
    assert values["container_pressure_cpu_waiting_seconds_total"] == 2


def test_open_files_of_its_processes_are_counted(made: PodSandboxMetrics) -> None:
    values = {each.name: each.value for each in made.container_metrics[0].metrics}
    assert (values["container_file_descriptors"] or 0) >= 3
    assert (values["container_ulimits_soft"] or 0) > 0
