"""Probes and lifecycle hooks: one action each, ports that exist, times that aren't negative.

Specification: Kubernetes, validateProbe and its three kinds, validateHandler, validateLifecycle. A hook sleeps no
longer than the Pod has to end. A stop signal is one of the Pod's operating system, which the Pod must name.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, invalid_value, unsupported
from podward.schema.validation.raw import number, pointer, text
from podward.schema.validation.walk import Scope

_HEADER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
_HEADER_RULE = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for"
    " validation is '[-A-Za-z0-9]+')"
)
_GRACE = 30  # seconds, where none are set
_SIGNALS_OF_WINDOWS = ("SIGKILL", "SIGTERM")
_SIGNALS = (
    "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO",
    "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX",
    *(f"SIGRTMAX-{number}" for number in (1, 10, 11, 12, 13, 14, 2, 3, 4, 5, 6, 7, 8, 9)), "SIGRTMIN",
    *(f"SIGRTMIN+{number}" for number in (1, 10, 11, 12, 13, 14, 15, 2, 3, 4, 5, 6, 7, 8, 9)), "SIGSEGV", "SIGSTKFLT",
    "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2",
    "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ",
)  # fmt: skip


def stop_signal(lifecycle: JsonObject, scope: Scope, at: Place) -> Decision:
    """A Lifecycle's `stopSignal`."""
    signal, place = pointer(lifecycle, "stopSignal"), at / "stopSignal"
    if scope.spec.get("os") is None:
        return forbidden(place, "may not be set for containers with empty `spec.os.name`")
    system = text(member(scope.spec, "os"), "name")
    known = {"windows": _SIGNALS_OF_WINDOWS, "linux": _SIGNALS}.get(system)
    return NOTHING if known is None or signal is None or signal in known else unsupported(place, signal, known)


def grace_period(probe: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A probe's own `terminationGracePeriodSeconds`."""
    grace = number(probe, "terminationGracePeriodSeconds")
    place = at / "terminationGracePeriodSeconds"
    return NOTHING if grace > 0 else invalid(place, grace, "must be greater than 0")


def no_grace_period(probe: JsonObject, scope: Scope, at: Place) -> Decision:
    """The same of a readiness probe, which ends nothing."""
    place, grace = at / "terminationGracePeriodSeconds", number(probe, "terminationGracePeriodSeconds")
    return grace_period(probe, scope, at) + invalid(place, grace, "must not be set for readinessProbes")


def sleep(action: JsonObject, scope: Scope, at: Place) -> Decision:
    """A hook that sleeps."""
    seconds, grace = number(action, "seconds"), scope.spec.get("terminationGracePeriodSeconds")
    grace = _GRACE if grace is None else grace
    detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
    return NOTHING if isinstance(grace, int) and 0 <= seconds <= grace else invalid(at, seconds, detail)


def headers(request: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `httpHeaders` of a request, printed without their index."""
    names = [text(header, "name") for header in objects(request, "httpHeaders")]
    wrong = [name for name in names if not name or not _HEADER.issuperset(name)]
    return merge(*(invalid_value(at / "httpHeaders", name, _HEADER_RULE) for name in wrong))
