"""Paths below something that the node chooses: relative, and without `..`.

Specification: Kubernetes, validateLocalDescendingPath and validatePathNoBacksteps. What stops an escape by
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


def no_backsteps(text: str, at: Path) -> Decision:
    """Refuse a path that goes up."""
    return invalid(at, text, "must not contain '..'") if ".." in text.split("/") else Decision()
