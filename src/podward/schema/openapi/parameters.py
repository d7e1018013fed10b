"""The parameters of requests, as OpenAPI names them.

Specification: k8s.io/apimachinery meta/v1 ListOptions, CreateOptions, PatchOptions and DeleteOptions.
"""

from __future__ import annotations

from typing import TypeAlias

Parameter: TypeAlias = tuple[str, str, str, str]
"""Its name, where it stands, its type, and what it says."""


def _query(name: str, kind: str, says: str) -> Parameter:
    return (name, "query", kind, says)


_PRETTY = _query("pretty", "string", "whether the answer is indented")
_DRY_RUN = _query("dryRun", "string", "All: everything is done but the storing")
LISTS: tuple[Parameter, ...] = (
    _PRETTY,
    _query("allowWatchBookmarks", "boolean", "whether a watch also sends bookmarks"),
    _query("continue", "string", "where a list that was cut goes on"),
    _query("fieldSelector", "string", "only objects with these values of fields"),
    _query("labelSelector", "string", "only objects with these labels"),
    _query("limit", "integer", "the most objects in one answer"),
    _query("resourceVersion", "string", "how new what is answered must be"),
    _query("resourceVersionMatch", "string", "how resourceVersion is meant for lists"),
    _query("sendInitialEvents", "boolean", "whether a watch begins with what is there"),
    _query("timeoutSeconds", "integer", "how long a list or a watch may take"),
    _query("watch", "boolean", "whether changes are sent as they happen"),
)
"""Of a list or a watch."""
WRITES: tuple[Parameter, ...] = (
    _PRETTY,
    _DRY_RUN,
    _query("fieldManager", "string", "who makes these changes"),
    _query("fieldValidation", "string", "Ignore, Warn or Strict: what becomes of unknown and doubled fields"),
)
"""Of whatever stores an object."""
FORCE = _query("force", "boolean", "whether an apply takes fields from other managers")
"""Of a patch."""
DELETES: tuple[Parameter, ...] = (
    _PRETTY,
    _DRY_RUN,
    _query("gracePeriodSeconds", "integer", "how long the object has to end"),
    _query("orphanDependents", "boolean", "old: whether dependents stay"),
    _query("propagationPolicy", "string", "Orphan, Background or Foreground: what becomes of dependents"),
)
"""Of a deletion."""
