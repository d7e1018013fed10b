"""The namespaces that the process shares with the host.

Specification (namespaces(7), runtime-spec 1.0.2 `linux.namespaces`), in our words: a kind of namespace that the spec
does not list is the runtime's own, which is the host's. One that is listed is new, or joined by its path; a path leads
to another container's or Pod's namespace, because for the host's the entry is left out. Time namespaces, which no spec
of ours lists, are not reported.
"""

from __future__ import annotations

from podward.api.oci import RuntimeSpec
from podward.decision import Decision, assign
from podward.path import path
from podward.policy.kernel.sources import Sources

KINDS = ("cgroup", "ipc", "mount", "network", "pid", "user", "uts")
"""The kinds by their names in the runtime specification, sorted."""


def decide(spec: RuntimeSpec, sources: Sources) -> Decision:
    """`host_namespaces`, sorted."""
    own = {namespace.type for namespace in spec.linux.namespaces}
    shared = tuple(kind for kind in KINDS if kind not in own)
    return assign(
        path("host_namespaces"),
        shared,
        "the kinds that linux.namespaces does not list",
        sources.of("linux", "namespaces"),
    )
