"""/exec, /attach, /portForward: passed on to where the runtime serves them; /run: a command's output as a whole.

Specification: Kubernetes, pkg/kubelet/server/server.go, pkg/kubelet/kubelet_pods.go GetExec and its kin: the runtime
answers with a URL, and the node passes bytes on. What is asked for is decided here, and nothing that the client sends
to the runtime can change it; the runtime must be on this machine.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import structs

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import AttachRequest, ExecRequest, ExecSyncRequest, PortForwardRequest
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.node.server.host import Host
from podward.policy.kubelet import container_rows
from podward.runtime.streaming import handshake, translating, tunnel
from podward.runtime.streaming.remote_command import Asked
from podward.schema.validation.raw import text

_CODES = {CriCode.NOT_FOUND: 404, CriCode.RESOURCE_EXHAUSTED: 429}
_PASSED_BY_US = frozenset(("authorization", "host", "content-length", "transfer-encoding"))
_LAST_PORT = 65535


async def exec_(host: Host, request: web.Request) -> web.StreamResponse:
    """Run a command."""
    stdin, stdout, stderr, tty = _streams(request)
    if not (stdin or stdout or stderr):
        return _refused(400, "you must specify at least 1 of stdin, stdout, stderr")
    pod = _pod(host, request)
    if pod is None:
        return _refused(404, "pod does not exist")
    name = request.match_info["container"]
    container = running_container(pod, name)
    if not container:
        return _refused(500, f'container not found ("{name}")')
    asked = ExecRequest(container, tuple(request.query.getall("command", [])), tty, stdin, stdout, stderr)
    answer = await host.exec(asked)
    if isinstance(answer, CriRefusal):
        return _of(answer)
    return await _passed(host, answer.url, request, Asked(stdin, stdout, stderr, tty, asked.cmd))


async def attach(host: Host, request: web.Request) -> web.StreamResponse:
    """Attach to a container: on a terminal if it has one, whatever the client says."""
    stdin, stdout, stderr, _ = _streams(request)
    if not (stdin or stdout or stderr):
        return _refused(400, "you must specify at least 1 of stdin, stdout, stderr")
    pod = _pod(host, request)
    if pod is None:
        return _refused(404, "pod does not exist")
    name = request.match_info["container"]
    container = running_container(pod, name)
    if not container:
        full = f"{request.match_info['pod']}_{request.match_info['namespace']}"
        return _refused(500, f"container {name} not found in pod {full}")
    tty = _has_terminal(pod, name)
    answer = await host.attach(AttachRequest(container, stdin, tty, stdout, stderr and not tty))
    if isinstance(answer, CriRefusal):
        return _of(answer)
    return await _passed(host, answer.url, request, Asked(stdin, stdout, stderr and not tty, tty))


async def port_forward(host: Host, request: web.Request) -> web.StreamResponse:
    """Forward connections to ports of a Pod."""
    ports = [each for value in request.query.getall("port", []) for each in value.split(",")]
    if any(not (each.isascii() and each.isdecimal() and 0 < int(each[:6]) <= _LAST_PORT) for each in ports):
        return _refused(400, "unable to parse a port of the query")
    pod = _pod(host, request)
    if pod is None:
        return _refused(404, "pod does not exist")
    sandbox = await host.sandbox_of(pod)
    if not sandbox:
        full = f"{request.match_info['pod']}_{request.match_info['namespace']}"
        return _refused(500, f'pod not found ("{full}")')
    answer = await host.port_forward(PortForwardRequest(sandbox, tuple(map(int, ports))))
    return _of(answer) if isinstance(answer, CriRefusal) else await _passed(host, answer.url, request, None)


async def run(host: Host, request: web.Request) -> web.StreamResponse:
    """Run a command, and tell what it printed."""
    pod = _pod(host, request)
    if pod is None:
        return _refused(404, "pod does not exist")
    name = request.match_info["container"]
    container = running_container(pod, name)
    if not container:
        return _refused(500, f'container not found ("{name}")')
    answer = await host.exec_sync(ExecSyncRequest(container, tuple(request.query.get("cmd", "").split(" "))))
    if isinstance(answer, CriRefusal):
        return _refused(500, answer.as_error)
    if answer.exit_code:
        said = answer.stderr.decode(errors="replace")
        return _refused(500, f"command '{request.query.get('cmd', '')}' exited with {answer.exit_code}: {said}")
    return web.Response(body=answer.stdout + answer.stderr, content_type="application/json")


def running_container(pod: JsonObject, name: str) -> str:
    """The id of a container that runs, without the runtime's name; empty where none does."""
    return next((container_rows.id_of(row) for row in container_rows.running(pod) if row.get("name") == name), "")


def _pod(host: Host, request: web.Request) -> JsonObject | None:
    """The Pod that is meant; one of another uid is another one."""
    found = host.pod(request.match_info["namespace"], request.match_info["pod"])
    uid = request.match_info.get("uid", "")
    return None if found is None or (uid and text(member(found, "metadata"), "uid") != uid) else found


def _has_terminal(pod: JsonObject, name: str) -> bool:
    spec = member(pod, "spec")
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return any(each.get("tty") is True for kind in kinds for each in objects(spec, kind) if each.get("name") == name)


def _streams(request: web.Request) -> tuple[bool, bool, bool, bool]:
    """Which streams are asked for: on a terminal there is no stream of errors."""
    stdin, stdout, stderr, tty = (request.query.get(name) == "1" for name in ("input", "output", "error", "tty"))
    return stdin, stdout, stderr and not tty, tty


async def _passed(host: Host, url: str, request: web.Request, streams: Asked | None) -> web.StreamResponse:
    """Pass the connection on to where the runtime serves it; `streams` are those of a command."""
    where = urlsplit(url)
    if where.scheme != "http" or not _is_here(where.hostname or "") or where.port is None:
        return _refused(500, "the container runtime serves streams elsewhere than on this machine, or by HTTPS")
    headers = [(str(name), value) for name, value in request.headers.items()]
    if not tunnel.wants_upgrade(headers):
        return _refused(500, "Upgrade request required\n")
    kept = [each for each in headers if each[0].lower() not in _PASSED_BY_US]
    line = f"{where.path}?{where.query}" if where.query else where.path
    target = tunnel.Asked(where.hostname or "", where.port, request.method, line, kept)
    if host.only_spdy and handshake.is_websocket(request) and translating.is_newer(_protocols(request)):
        target = structs.replace(target, headers=[])
        if streams is None:
            return await translating.ports(request, target)
        return await translating.command(request, streams, target)
    return await _passed_on(request, target)


async def _passed_on(request: web.Request, target: tunnel.Asked) -> web.StreamResponse:
    """Pass the connection on as it comes."""
    found = await tunnel.connect(target)
    if isinstance(found, tunnel.Connected):
        return await tunnel.serve(request, found)
    if isinstance(found, tunnel.Refused):
        kind = next((value for name, value in found.headers if name.lower() == "content-type"), "text/plain")
        return web.Response(status=found.code, body=found.body, headers={"Content-Type": kind})
    return _refused(500, f"{found.doing}: {found.error}")


def _protocols(request: web.Request) -> str:
    return ",".join(request.headers.getall(handshake.SUB_PROTOCOL, []))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _of(refusal: CriRefusal) -> web.Response:
    return _refused(_CODES.get(refusal.code, 500), refusal.as_error)


def _refused(code: int, why: str) -> web.Response:
    return web.Response(status=code, text=why)
