"""What is used, from two looks at counters."""

from __future__ import annotations

from podward.server.node_metrics import Look, Looks, looks, used

_NODE = """\
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="c",namespace="default",pod="p"} 1.5 2000
container_memory_working_set_bytes{container="c",namespace="default",pod="p"} 4.096e+06 2000
container_cpu_usage_seconds_total{container="without memory",namespace="default",pod="p"} 1.5 2000
node_cpu_usage_seconds_total 100 2000
node_memory_working_set_bytes 1048576 2000
pod_cpu_usage_seconds_total{namespace="default",pod="p"} 1 2000
pod_memory_working_set_bytes{namespace="default",pod="p"} 1 2000
this is no line of metrics
""".splitlines()
_C, _ALL = ("default", "p", "c"), ("", "", "")


def test_the_counters_of_containers_and_of_the_node_are_read() -> None:
    assert looks(_NODE) == {_C: Look(1.5, 4096000.0, 2000), _ALL: Look(100.0, 1048576.0, 2000)}


def test_what_is_used_is_what_a_counter_has_grown_by() -> None:
    (usage,) = used({_C: Look(1.0, 0, 0)}, {_C: Look(1.5, 4096000.0, 2000)}).values()
    assert usage.quantities() == {"cpu": "250000000n", "memory": "4000Ki"}
    assert usage.window == 2.0


def test_a_container_that_was_not_there_or_is_another_one_has_no_figures_yet() -> None:
    now = {_C: Look(1.5, 1.0, 2000)}
    assert used({}, now) == {}
    assert used({_C: Look(2.0, 1.0, 1000)}, now) == {}
    assert used({_C: Look(1.5, 1.0, 2000)}, now) == {}


def test_figures_that_a_node_tells_again_are_compared_with_those_before_them() -> None:
    first, second = {_ALL: Look(1.0, 1.0, 1000)}, {_ALL: Look(3.0, 1.0, 11000), _C: Look(1.0, 1.0, 11000)}
    seen = Looks().and_now(first).and_now(second).and_now(second)
    assert {key: each.cpu for key, each in used(seen.earlier, seen.last).items()} == {_ALL: 200_000_000}
    assert used(Looks().and_now(first).and_now(first).earlier, first) == {}


def test_what_a_node_tells_no_more_is_forgotten() -> None:
    seen = Looks().and_now({_C: Look(1.0, 1.0, 1000)}).and_now({}).and_now({_C: Look(2.0, 1.0, 2000)})
    assert used(seen.earlier, seen.last) == {}
