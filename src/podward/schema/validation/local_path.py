"""Paths below something that the node chooses: relative, and without `..`.

Specification: Kubernetes, ValidateLocalNonReservedPath, validateLocalDescendingPath and validatePathNoBacksteps.
Names that begin with two dots are the node's own, for the versions of a volume's files. What stops an escape by
symbolic links is the node's business.
"""

from __future__ import annotations

from podward.decision import Decision
from podward.schema.validation.field import NOTHING, At, each, invalid


def descending(text: str, at: At) -> Decision:
    """Refuse a path that is absolute or goes up."""
    return each(at, text, descending_faults(text))


def taken(path: str, printed: str, at: At, paths: set[str]) -> Decision:
    """Refuse a path that another source of the volume at `at` has; `paths` are those so far."""
    if path in paths:
        return invalid(at, printed, "conflicting duplicate paths")
    paths.add(path)
    return NOTHING


def not_reserved_faults(text: str) -> tuple[str, ...]:
    """What keeps a path from staying below its volume, or from beginning with a name that is not the node's."""
    faults = descending_faults(text)
    reserved = text.startswith("..") and not text.startswith("../")
    return (*faults, "must not start with '..'") if reserved else faults


def descending_faults(text: str) -> tuple[str, ...]:
    """What keeps a path from staying below where it begins."""
    return (*_ABSOLUTE, *backstep_faults(text)) if text.startswith("/") else backstep_faults(text)


def backstep_faults(text: str) -> tuple[str, ...]:
    """Whether the path goes up."""
    return ("must not contain '..'",) if ".." in text.split("/") else ()


_ABSOLUTE = ("must be a relative path",)
