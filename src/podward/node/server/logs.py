"""GET /containerLogs/NAMESPACE/POD/CONTAINER.

Specification: Kubernetes, pkg/kubelet/server/server.go getContainerLogs, and pkg/apis/core/validation of its options.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from aiohttp import web

from podward.api.cri_refusal import CriRefusal
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.node.server.host import Host
from podward.node.server.log_reading import LogOptions, LogReader, nanoseconds_of
from podward.policy.kubelet.container_logs import NoLog, run_with_log

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_FALSE = frozenset(("false", "0"))
_STREAMS: Mapping[str, frozenset[bytes]] = {
    "": frozenset((b"stdout", b"stderr")),
    "All": frozenset((b"stdout", b"stderr")),
    "Stdout": frozenset((b"stdout",)),
    "Stderr": frozenset((b"stderr",)),
}


async def container_logs(host: Host, request: web.Request) -> web.StreamResponse:
    """What a container has printed, and prints."""
    options = options_of(request.query, time.time_ns())
    if isinstance(options, web.Response):
        return options
    reader = await _opened(host, request, options)
    if isinstance(reader, web.Response):
        return reader
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    pieces = reader.pieces()
    try:
        await response.prepare(request)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    finally:
        await pieces.aclose()
        reader.close()
    return response


async def _opened(host: Host, request: web.Request, options: LogOptions) -> LogReader | web.Response:
    """The log that is meant, or why there is none."""
    namespace, name, container = (request.match_info[each] for each in ("namespace", "pod", "container"))
    pod = host.pod(namespace, name)
    if pod is None:
        return _refused(404, f'pod "{name}" does not exist')
    if not has_container(pod, container):
        return _refused(404, f'container "{container}" not found in pod "{name}"')
    run = run_with_log(pod, container, previous=options.previous)
    if isinstance(run, NoLog):
        return _refused(400, run.why)
    return await _log_of_run(host, run, options)


async def _log_of_run(host: Host, run: str, options: LogOptions) -> LogReader | web.Response:
    status = await host.container_status(run)
    if isinstance(status, CriRefusal):
        return _refused(400, f"failed to get container status {run}: {status.message}")
    if not status.log_path:
        return _refused(400, f"container {run} has no log file")

    async def running() -> bool:
        now = await host.container_status(run)
        return not isinstance(now, CriRefusal) and now.state == "CONTAINER_RUNNING"

    try:
        return LogReader(status.log_path, options, running)
    except OSError as error:
        return _refused(400, f"failed to open the log of container {run}: {error.strerror}")


def has_container(pod: JsonObject, container: str) -> bool:
    """Whether the Pod has a container of this name, of any kind."""
    spec = member(pod, "spec")
    return any(each.get("name") == container for kind in _CONTAINERS for each in objects(spec, kind))


def options_of(query: Mapping[str, str], now: int) -> LogOptions | web.Response:
    """What is wanted, or what is wrong with it; `now` is in nanoseconds since 1970."""
    numbers: dict[str, int] = {}
    for name in ("sinceSeconds", "tailLines", "limitBytes"):
        said = query.get(name, "")
        if name == "tailLines" and (tail := query.get("tail", "")):
            said = "" if tail == "all" else tail
        if said and not re.fullmatch("[+-]?[0-9]{1,19}", said):
            return _refused(400, '{"message": "Unable to decode query."}')
        if said:
            numbers[name] = int(said)
    since = nanoseconds_of(query["sinceTime"]) if query.get("sinceTime") else None
    if query.get("sinceTime") and since is None:
        return _refused(400, '{"message": "Unable to decode query."}')
    streams = _STREAMS.get(query.get("stream", ""))
    wrong = (
        streams is None
        or numbers.get("tailLines", 0) < 0
        or numbers.get("limitBytes", 1) < 1
        or numbers.get("sinceSeconds", 1) < 1
        or (since is not None and "sinceSeconds" in numbers)
        or ("tailLines" in numbers and query.get("stream", "All") not in {"", "All"})
    )
    if wrong or streams is None:
        return _refused(422, '{"message": "Invalid request."}')
    if "sinceSeconds" in numbers:
        since = now - numbers["sinceSeconds"] * 10**9
    follow, previous, timestamps = (_flag(query, name) for name in ("follow", "previous", "timestamps"))
    return LogOptions(
        follow, previous, timestamps, since or 0, numbers.get("tailLines"), numbers.get("limitBytes"), streams
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    return name in query and query[name].lower() not in _FALSE


def _refused(code: int, why: str) -> web.Response:
    return web.Response(status=code, text=why)
