"""A Pod's name in the kubelet's messages."""

from __future__ import annotations

from podward.api.core import Pod


def described(pod: Pod) -> str:
    """`name_namespace(uid)`."""
    meta = pod.metadata
    return f"{meta.name or ''}_{meta.namespace or ''}({meta.uid or ''})"
