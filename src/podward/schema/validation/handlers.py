"""Probes and lifecycle hooks: one action each, ports that exist, times that aren't negative.

Specification: Kubernetes, validateProbe and its three kinds, validateHandler, validateLifecycle. Liveness and
startup succeed at once; readiness has no grace period. A hook sleeps no longer than the Pod has to end. A stop signal
is one of the Pod's operating system, which the Pod must name.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation.field import (
    each,
    forbidden,
    invalid,
    invalid_value,
    not_negative,
    required,
    unsupported,
)
from podward.schema.validation.ports import is_port, name_faults
from podward.schema.validation.ports import number as port_number
from podward.schema.validation.raw import number, pointer, text, texts

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_TIMES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_OF_PROBES = ("exec", "httpGet", "tcpSocket", "grpc")
_OF_HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")
_SCHEMES = ("HTTP", "HTTPS")
_HEADER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
_HEADER_RULE = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for"
    " validation is '[-A-Za-z0-9]+')"
)
_SIGNALS_OF_WINDOWS = ("SIGKILL", "SIGTERM")
_SIGNALS = (
    "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO",
    "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX",
    *(f"SIGRTMAX-{number}" for number in (1, 10, 11, 12, 13, 14, 2, 3, 4, 5, 6, 7, 8, 9)), "SIGRTMIN",
    *(f"SIGRTMIN+{number}" for number in (1, 10, 11, 12, 13, 14, 15, 2, 3, 4, 5, 6, 7, 8, 9)), "SIGSEGV", "SIGSTKFLT",
    "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2",
    "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ",
)  # fmt: skip


def check(container: JsonObject, spec: JsonObject, at: Path) -> Decision:
    """The hooks and probes of a container that may have them; `spec` is the raw Pod's."""
    found: list[Decision] = []
    lifecycle = container.get("lifecycle")
    if isinstance(lifecycle, dict):
        found.append(_lifecycle(lifecycle, spec, at / "lifecycle"))
    for name in PROBES:
        probe = container.get(name)
        if isinstance(probe, dict) and not _surely_sound(probe):
            found.append(_probe(probe, name, at / name))
    return merge(*found) if found else Decision()


def _surely_sound(probe: JsonObject) -> bool:
    """Whether the probe is of one plain action and nothing can be said against it: most are like that."""
    kinds = probe.keys() - _TIMES
    if len(kinds) != 1 or number(probe, "successThreshold") != 1:
        return False
    for name in _TIMES:
        written = probe.get(name)
        if type(written) is int and written < 0:
            return False
    kind = kinds.pop()
    action = probe[kind]
    if not isinstance(action, dict):
        return False
    if kind == "exec":
        return bool(texts(action, "command"))
    if kind == "httpGet":
        plain = action.get("scheme") in _SCHEMES and not action.get("httpHeaders")
        return plain and bool(text(action, "path")) and _is_port(action.get("port"))
    return kind == "tcpSocket" and _is_port(action.get("port"))


def _is_port(port: Json) -> bool:
    if isinstance(port, str):
        return not name_faults(port)
    return type(port) is int and is_port(port)


def _lifecycle(raw: JsonObject, spec: JsonObject, at: Path) -> Decision:
    grace = number(spec, "terminationGracePeriodSeconds")
    found = [
        _action(member(raw, name), _OF_HOOKS, grace, at / name)
        for name in ("postStart", "preStop")
        if raw.get(name) is not None
    ]
    signal = pointer(raw, "stopSignal")
    if signal is not None:
        found.append(_stop_signal(signal, spec, at / "stopSignal"))
    return merge(*found)


def _stop_signal(signal: str, spec: JsonObject, at: Path) -> Decision:
    if spec.get("os") is None:
        return forbidden(at, "may not be set for containers with empty `spec.os.name`")
    known = {"windows": _SIGNALS_OF_WINDOWS, "linux": _SIGNALS}.get(text(member(spec, "os"), "name"), (signal,))
    return Decision() if signal in known else unsupported(at, signal, known)


def _probe(raw: JsonObject, kind: str, at: Path) -> Decision:
    found = [_action(raw, _OF_PROBES, 0, at)]
    found += [not_negative(at / name, number(raw, name)) for name in _TIMES]
    grace = raw.get("terminationGracePeriodSeconds")
    if type(grace) is int:
        place = at / "terminationGracePeriodSeconds"
        if grace <= 0:
            found.append(invalid(place, grace, "must be greater than 0"))
        if kind == "readinessProbe":
            found.append(invalid(place, grace, "must not be set for readinessProbes"))
    successes = number(raw, "successThreshold")
    if kind != "readinessProbe" and successes != 1:
        found.append(invalid(at / "successThreshold", successes, "must be 1"))
    return merge(*found)


def _action(raw: JsonObject, kinds: tuple[str, ...], grace: int, at: Path) -> Decision:
    present = [kind for kind in kinds if raw.get(kind) is not None]
    if not present:
        return required(at, "must specify a handler type")
    first, *others = present
    found = [_of_kind(first, member(raw, first), grace, at / first)]
    found += [forbidden(at / kind, "may not specify more than 1 handler type") for kind in others]
    return merge(*found)


def _of_kind(kind: str, action: JsonObject, grace: int, at: Path) -> Decision:
    if kind == "exec":
        return Decision() if texts(action, "command") else required(at / "command")
    if kind == "httpGet":
        return _http(action, at)
    if kind == "sleep":
        seconds = number(action, "seconds")
        detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        return Decision() if 0 <= seconds <= grace else invalid(at, seconds, detail)
    return _port(action, at / "port")


def _http(action: JsonObject, at: Path) -> Decision:
    found = [Decision() if text(action, "path") else required(at / "path"), _port(action, at / "port")]
    scheme = text(action, "scheme")
    if scheme not in _SCHEMES:
        found.append(unsupported(at / "scheme", scheme, _SCHEMES))
    for header in objects(action, "httpHeaders"):
        name = text(header, "name")
        if not name or not _HEADER.issuperset(name):
            found.append(invalid_value(at / "httpHeaders", name, _HEADER_RULE))
    return merge(*found)


def _port(action: JsonObject, at: Path) -> Decision:
    port = action.get("port")
    if isinstance(port, str):
        return each(at, port, name_faults(port))
    return port_number(number(action, "port"), at)
