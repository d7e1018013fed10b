"""The figures of cgroups, of version 1 and of version 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.runtime.service.cgroup_figures import CgroupFigures, Hierarchies, Traffic

V1 = {
    "cpuacct/p/cpuacct.usage": "5000",
    "cpuacct/p/cpuacct.usage_user": "4000",
    "cpuacct/p/cpuacct.usage_sys": "1000",
    "cpu/p/cpu.stat": "nr_periods 7\nnr_throttled 2\nthrottled_time 900\n",
    "cpu/p/cpu.shares": "1024",
    "cpu/p/cpu.cfs_period_us": "100000",
    "cpu/p/cpu.cfs_quota_us": "-1",
    "memory/p/memory.usage_in_bytes": "1000",
    "memory/p/memory.limit_in_bytes": "4096",
    "memory/p/memory.memsw.limit_in_bytes": "9223372036854771712",
    "memory/p/memory.stat": "rss 1\ntotal_rss 300\ntotal_inactive_file 250\ntotal_pgfault 11\ntotal_pgmajfault 3\n",
    "memory/p/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    "pids/p/pids.current": "3",
    "pids/p/pids.max": "max",
    "pids/p/cgroup.procs": "10\n20\n",
    "blkio/p/blkio.throttle.io_service_bytes_recursive": "8:0 Read 512\n8:0 Write 1024\n8:0 Total 1536\nTotal 1536\n",
    "blkio/p/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
}
V2 = {
    "p/cpu.stat": "usage_usec 5\nuser_usec 4\nsystem_usec 1\nnr_periods 7\nnr_throttled 2\nthrottled_usec 9\n",
    "p/cpu.weight": "39",
    "p/cpu.max": "20000 100000",
    "p/cpu.pressure": "some avg10=1.50 avg60=0.00 avg300=0.00 total=77\nfull avg10=0 avg60=0 avg300=0 total=5\n",
    "p/memory.current": "1000",
    "p/memory.max": "4096",
    "p/memory.stat": "anon 300\nfile 600\ninactive_file 1250\npgfault 11\npgmajfault 3\n",
    "p/memory.events": "low 0\nmax 6\noom_kill 4\n",
    "p/pids.current": "3",
    "p/pids.max": "512",
    "p/cgroup.procs": "10\n20\n",
    "p/io.stat": "8:0 rbytes=512 wbytes=1024 rios=1 wios=2 dbytes=0 dios=0\n",
}


def written(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@pytest.fixture
def version1(tmp_path: Path) -> CgroupFigures:
    written(tmp_path, V1)
    kinds = ("cpu", "cpuacct", "memory", "pids", "blkio")
    return Hierarchies({kind: f"{tmp_path}/{kind}" for kind in kinds}, "").figures("/p")


@pytest.fixture
def version2(tmp_path: Path) -> CgroupFigures:
    written(tmp_path, V2)
    return Hierarchies({}, str(tmp_path)).figures("/p")


def test_version_1_counts_cpu_time_in_nanoseconds(version1: CgroupFigures) -> None:
    cpu = version1.cpu
    assert (cpu.usage, cpu.user, cpu.system) == (5000, 4000, 1000)
    assert (cpu.periods, cpu.throttled_periods, cpu.throttled) == (7, 2, 900)
    assert (cpu.shares, cpu.period, cpu.quota) == (1024, 100000, 0)


def test_version_2_counts_cpu_time_in_microseconds(version2: CgroupFigures) -> None:
    cpu = version2.cpu
    assert (cpu.usage, cpu.user, cpu.system) == (5000, 4000, 1000)
    assert (cpu.periods, cpu.throttled_periods, cpu.throttled) == (7, 2, 9000)
    assert (cpu.shares, cpu.period, cpu.quota) == (998, 100000, 20000)


def test_memory_of_version_1_is_that_of_the_whole_tree(version1: CgroupFigures) -> None:
    memory = version1.memory
    assert (memory.usage, memory.rss, memory.working_set) == (1000, 300, 750)
    assert (memory.limit, memory.faults, memory.major_faults, memory.oom_kills) == (4096, 11, 3, 4)


def test_a_working_set_is_never_below_nothing(version2: CgroupFigures) -> None:
    assert version2.memory.working_set == 0


def test_memory_of_version_2_has_its_limit_and_kills(version2: CgroupFigures) -> None:
    memory = version2.memory
    assert (memory.usage, memory.rss, memory.cache, memory.limit) == (1000, 300, 600, 4096)
    assert (memory.hits_of_limit, memory.oom_kills) == (6, 4)


def test_no_limit_is_zero_in_both(version1: CgroupFigures) -> None:
    assert version1.threads_limit == 0
    assert version1.memory.swap_limit == 0


def test_processes_and_traffic_are_the_same_in_both(version1: CgroupFigures, version2: CgroupFigures) -> None:
    assert version1.processes == version2.processes == (10, 20)
    assert version1.threads == version2.threads == 3
    assert version1.traffic == version2.traffic == (Traffic(8, 0, 512, 1024, 1, 2),)


def test_pressure_is_there_where_the_kernel_counts_it(version1: CgroupFigures, version2: CgroupFigures) -> None:
    assert version1.pressures == {}
    some, full = version2.pressures["cpu"]
    assert (some.avg10, some.total, full.total) == (1.5, 77, 5)


def test_a_cgroup_that_is_gone_has_zeros(tmp_path: Path) -> None:
    assert Hierarchies({}, str(tmp_path)).figures("/gone") == CgroupFigures()


def test_this_machines_hierarchies_count_something() -> None:
    assert Hierarchies.here().figures("").cpu.usage >= 0
