"""What Prometheus reads: the names and labels of kube-apiserver that people scrape.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/metrics. What a client makes up is in no label: of a resource
that is not served, and of a verb that there is not, nothing is told but that there was such a request.
"""

from __future__ import annotations

import os
import resource
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from podward.server.request_info import RequestInfo

_BUCKETS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0,
    45.0, 60.0,
)  # fmt: skip
_VERBS = {
    "get": "GET", "list": "LIST", "watch": "WATCH", "create": "POST", "post": "POST", "update": "PUT", "put": "PUT",
    "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETECOLLECTION", "head": "GET",
}  # fmt: skip
_LONG = frozenset(("attach", "exec", "proxy", "portforward"))
_MOST_SERIES = 5000
_STARTED = time.time()
Labels = tuple[str, ...]
_OF_REQUESTS = ("verb", "group", "version", "resource", "subresource", "scope", "component")


class Metrics:
    """What is counted of requests. `is_served` says whether there is such a resource."""

    def __init__(self, is_served: Callable[[RequestInfo], bool] = lambda _: False) -> None:
        self._is_served = is_served
        self.requests: Counter[Labels] = Counter()
        self._durations: dict[Labels, list[float]] = {}
        self.long: Counter[Labels] = Counter()

    def labels(self, info: RequestInfo) -> Labels:
        """The labels of a request."""
        verb = "CONNECT" if info.subresource in _LONG else _VERBS.get(info.verb, "other")
        if not info.resource_request or not self._is_served(info):
            return verb, "", "", "", "", "", "apiserver"
        scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
        return verb, info.group, info.version, info.resource, info.subresource, scope, "apiserver"

    def observe(self, labels: Labels, code: int, seconds: float) -> None:
        """A request is over. Subresources that there are not could be made up: such series have an end."""
        counted = (*labels, str(code))
        if counted not in self.requests and len(self.requests) >= _MOST_SERIES:
            return
        self.requests[counted] += 1
        found = self._durations.get(labels)
        if found is None:
            found = self._durations[labels] = [0.0] * (len(_BUCKETS) + 2)
        found[bisect_left(_BUCKETS, seconds)] += 1
        found[-1] += seconds

    def begin_long(self, labels: Labels) -> None:
        """One more that takes long."""
        self.long[labels] += 1

    def end_long(self, labels: Labels, code: int) -> None:
        """One less. How long it took says nothing."""
        self.long[labels] -= 1
        counted = (*labels, str(code))
        if counted in self.requests or len(self.requests) < _MOST_SERIES:
            self.requests[counted] += 1

    def lines(self) -> Iterator[str]:
        """What was counted."""
        yield "# TYPE apiserver_request_total counter"
        for labels, number in self.requests.items():
            yield sample("apiserver_request_total", (*_OF_REQUESTS, "code"), labels, number)
        yield "# TYPE apiserver_request_duration_seconds histogram"
        for labels, found in self._durations.items():
            yield from _histogram("apiserver_request_duration_seconds", labels, found)
        yield "# TYPE apiserver_longrunning_requests gauge"
        for labels, number in self.long.items():
            yield sample("apiserver_longrunning_requests", _OF_REQUESTS, labels, number)


def _histogram(name: str, labels: Labels, found: list[float]) -> Iterator[str]:
    total = 0.0
    for bound, number in zip((*map(str, _BUCKETS), "+Inf"), found[:-1], strict=True):
        total += number
        yield sample(f"{name}_bucket", (*_OF_REQUESTS, "le"), (*labels, bound), total)
    yield sample(f"{name}_sum", _OF_REQUESTS, labels, found[-1])
    yield sample(f"{name}_count", _OF_REQUESTS, labels, total)


def sample(name: str, names: Iterable[str], values: Iterable[str], number: float) -> str:
    """A line of one value."""
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in zip(names, values, strict=True))
    return f"{name}{{{pairs}}} {number:g}" if pairs else f"{name} {number:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def process_lines() -> Iterator[str]:
    """What this process takes of the machine."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", encoding="ascii") as file:
        virtual, resident = (int(word) * resource.getpagesize() for word in file.read().split()[:2])
    for name, kind, number in (
        ("process_cpu_seconds_total", "counter", used.ru_utime + used.ru_stime),
        ("process_resident_memory_bytes", "gauge", resident),
        ("process_virtual_memory_bytes", "gauge", virtual),
        ("process_open_fds", "gauge", len(os.listdir("/proc/self/fd"))),
        ("process_max_fds", "gauge", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        ("process_start_time_seconds", "gauge", _STARTED),
    ):
        yield f"# TYPE {name} {kind}"
        yield sample(name, (), (), number)
