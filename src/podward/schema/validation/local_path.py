"""Paths below something that the node chooses: relative, and without `..`.

Specification: Kubernetes, ValidateLocalNonReservedPath, validateLocalDescendingPath and validatePathNoBacksteps.
Names that begin with two dots are the node's own, for the versions of a volume's files. What stops an escape by
symbolic links is the node's business.
"""

from __future__ import annotations

from podward.decision import Decision
from podward.path import Path
from podward.schema.validation.field import invalid


def descending(text: str, at: Path) -> Decision:
    """Refuse a path that is absolute or goes up."""
    found = invalid(at, text, "must be a relative path") if text.startswith("/") else Decision()
    return found + no_backsteps(text, at)


def not_reserved(text: str, at: Path) -> Decision:
    """Refuse a path that is absolute, goes up, or begins with a name that the node reserves."""
    found = descending(text, at)
    if text.startswith("..") and not text.startswith("../"):
        found += invalid(at, text, "must not start with '..'")
    return found


def taken(path: str, printed: str, at: Path, paths: set[str]) -> Decision:
    """Refuse a path that another source of the volume at `at` has; `paths` are those so far."""
    if path in paths:
        return invalid(at, printed, "conflicting duplicate paths")
    paths.add(path)
    return Decision()


def no_backsteps(text: str, at: Path) -> Decision:
    """Refuse a path that goes up."""
    return invalid(at, text, "must not contain '..'") if ".." in text.split("/") else Decision()
