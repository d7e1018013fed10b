"""What objects may be called, kind by kind.

Specification: Kubernetes, apimachinery pkg/api/validation NameIs…, validate/content IsPathSegmentName. Where the server
makes the rest of a name, the beginning may end in a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from podward.schema.validation.names import label_faults, subdomain_faults

Faults: TypeAlias = Callable[[str], Sequence[str]]


class NameRule:
    """What is wrong with a name, and with what a name begins with."""

    __slots__ = ("beginning", "whole")

    def __init__(self, whole: Faults, beginning: Faults | None = None) -> None:
        self.whole = whole
        self.beginning: Faults = beginning or (lambda prefix: whole(_begun(prefix)))


def _begun(prefix: str) -> str:
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_EDGES = _LETTERS | frozenset("0123456789")
_INSIDE = _EDGES | {"-"}
_LONGEST_LABEL = 63
_HOST_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    " '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def host_faults(name: str) -> tuple[str, ...]:
    """What keeps a name from being a label of RFC 1035, as a Service's is."""
    faults = () if len(name.encode()) <= _LONGEST_LABEL else (f"must be no more than {_LONGEST_LABEL} characters",)
    fits = bool(name) and name[0] in _LETTERS and name[-1] in _EDGES and _INSIDE.issuperset(name)
    return faults if fits else (*faults, _HOST_RULE)


def segment_prefix_faults(name: str) -> tuple[str, ...]:
    """What keeps a text from standing at the beginning of a segment of a path."""
    return tuple([f"may not contain '{part}'" for part in ("/", "%") if part in name])


def segment_faults(name: str) -> tuple[str, ...]:
    """What keeps a name from being a segment of a path."""
    return (f"may not be '{name}'",) if name in {".", ".."} else segment_prefix_faults(name)


SUBDOMAIN, LABEL, HOST = NameRule(subdomain_faults), NameRule(label_faults), NameRule(host_faults)
SEGMENT = NameRule(segment_faults, segment_prefix_faults)
"""What every name is, be it of a resource that is defined by an object."""
ROLE = NameRule(segment_faults, segment_faults)
"""Of roles and bindings: also where it is made."""
