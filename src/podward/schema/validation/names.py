"""Names: RFC 1123 labels and subdomains, as k8s.io/apimachinery's util/validation words what is wrong with them."""

from __future__ import annotations

from functools import lru_cache

from podward.decision import Decision, merge
from podward.schema.validation.field import NOTHING, At, invalid

_EDGES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_INSIDE = _EDGES | {"-"}
_LABEL_PATTERN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL_PATTERN}')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    f" '{_LABEL_PATTERN}(\\.{_LABEL_PATTERN})*')"
)
_LONGEST_LABEL, _LONGEST_SUBDOMAIN = 63, 253


@lru_cache(1 << 12)
def label_faults(name: str) -> tuple[str, ...]:
    """What keeps `name` from being an RFC 1123 label.

    Remembered: a volume's name stands in every mount, and manifests share the names of their containers.
    """
    faults = () if len(name.encode()) <= _LONGEST_LABEL else (f"must be no more than {_LONGEST_LABEL} characters",)
    if is_label(name):
        return faults
    return (*faults, "must not contain dots" if is_subdomain(name) else _LABEL_RULE)


@lru_cache(1 << 12)
def subdomain_faults(name: str) -> tuple[str, ...]:
    """What keeps `name` from being an RFC 1123 subdomain.

    Remembered: one Secret or ConfigMap gives many variables.
    """
    too_long = len(name.encode()) > _LONGEST_SUBDOMAIN
    faults = (f"must be no more than {_LONGEST_SUBDOMAIN} characters",) if too_long else ()
    return faults if is_subdomain(name) else (*faults, SUBDOMAIN_RULE)


def label(name: str, at: At) -> Decision:
    """Refuse a name that is no RFC 1123 label."""
    faults = label_faults(name)
    return merge(*(invalid(at, name, fault) for fault in faults)) if faults else NOTHING


def subdomain(name: str, at: At) -> Decision:
    """Refuse a name that is no RFC 1123 subdomain."""
    faults = subdomain_faults(name)
    return merge(*(invalid(at, name, fault) for fault in faults)) if faults else NOTHING


def is_label(name: str) -> bool:
    """Whether the characters are those of a label; its length is another matter."""
    return bool(name) and name[0] in _EDGES and name[-1] in _EDGES and _INSIDE.issuperset(name)


def is_subdomain(name: str) -> bool:
    """Whether the characters are those of a subdomain; its length is another matter."""
    return all(is_label(part) for part in name.split("."))
