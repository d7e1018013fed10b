"""What Prometheus reads of a server."""

from __future__ import annotations

import re
from pathlib import Path

from api_server import running

from podward.server.metrics import Metrics, sample
from podward.server.request_info import RequestInfo

SAMPLE = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? [-+0-9.e]+')


def test_what_was_asked_is_counted_and_what_was_made_up_is_not(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.ask("GET", "/api/v1/namespaces/default/configmaps")
        server.ask("GET", "/api/v1/namespaces/default/configmaps/none")
        server.ask("GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1")
        for index in range(20):
            server.ask("GET", f"/apis/made{index}.up/v1/things{index}/x")
            server.ask("GET", f"/api/v1/namespaces/default/pods/a/part{index}")
            server.ask(f"ODD{index}", "/version")
        code, text, headers = server.ask("GET", "/metrics")
    assert (code, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = text.splitlines()
    assert all(line.startswith("# TYPE ") or SAMPLE.fullmatch(line) for line in lines)
    maps = 'group="",version="v1",resource="configmaps",subresource=""'
    end = 'component="apiserver"'
    for wanted in (
        f'apiserver_request_total{{verb="LIST",{maps},scope="namespace",{end},code="200"}} 1',
        f'apiserver_request_total{{verb="GET",{maps},scope="resource",{end},code="404"}} 1',
        f'apiserver_request_duration_seconds_count{{verb="LIST",{maps},scope="namespace",{end}}} 1',
        f'apiserver_request_duration_seconds_bucket{{verb="LIST",{maps},scope="namespace",{end},le="+Inf"}} 1',
        'apiserver_current_inflight_requests{request_kind="readOnly"} 0',
        'apiserver_storage_objects{resource="configmaps"} 2',  # that of front proxies, and that of old tokens
    ):
        assert wanted in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
    assert not re.search("made|thing|part[0-9]|ODD", text)


def test_what_takes_long_is_counted_while_it_does() -> None:
    metrics = Metrics(lambda _: True)
    labels = metrics.labels(RequestInfo("", "watch", resource_request=True, version="v1", resource="pods"))
    metrics.begin_long(labels)
    assert 'resource="pods",subresource="",scope="cluster",component="apiserver"} 1' in list(metrics.lines())[-1]
    metrics.end_long(labels, 200)
    assert list(metrics.lines())[-1].endswith(" 0")


def test_buckets_add_up() -> None:
    metrics = Metrics()
    labels = metrics.labels(RequestInfo("/version", "get"))
    for seconds in (0.001, 0.03, 0.03, 100):
        metrics.observe(labels, 200, seconds)
    found = [line for line in metrics.lines() if "_bucket" in line]
    assert [line.rpartition(" ")[2] for line in found[:3]] == ["1", "1", "3"]
    assert found[-1].endswith('le="+Inf"} 4')


def test_series_have_an_end() -> None:
    metrics = Metrics(lambda _: True)
    for index in range(6000):
        info = RequestInfo("", "get", resource_request=True, resource=f"r{index}")
        metrics.observe(metrics.labels(info), 200, 0.1)
    assert len(metrics.requests) == 5000


def test_labels_are_escaped() -> None:
    assert sample("a", ("b",), ('"\\\n',), 1) == 'a{b="\\"\\\\\\n"} 1'
