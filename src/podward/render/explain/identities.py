"""Who the processes of a running Pod are: decided, predicted, observed, and what has drifted, as text."""

from __future__ import annotations

from podward.api import capability
from podward.api.identity import ContainerIdentity, Identity, PodIdentity
from podward.policy.kernel.identity_drift import groups_text, ids_text
from podward.render.escaping import printable

_NONE = "nothing: no process runs"
_SAME = "none: it is who it began as"


def text(pod: PodIdentity) -> str:
    """The lines about a Pod's containers."""
    head = f"Who its processes are, on node {printable(pod.node)}:\n"
    if not pod.containers:
        return f"{head}  nothing is known: no container runs, or none has run for long enough\n"
    return head + "".join(f"\n{_of_container(each)}" for each in pod.containers)


def _of_container(found: ContainerIdentity) -> str:
    process = f" (process {found.pid})" if found.observed is not None else ""
    rows = (
        ("decided", _decided(found)),
        ("predicted", _identity(found.predicted) if found.predicted is not None else _unknown(found)),
        ("observed", _identity(found.observed) if found.observed is not None else _NONE),
        ("drift", "; ".join(map(printable, found.drift)) or (_SAME if found.observed is not None else "unknown")),
    )
    lines = (f"    {name:<10} {said}\n" for name, said in rows)
    return f"  container {printable(found.name)}{process}\n{''.join(lines)}"


def _decided(found: ContainerIdentity) -> str:
    user = found.decided
    if user is None:
        return "not told by the container's status"
    return f"uid {user.uid}  gid {user.gid}  groups {groups_text(user.supplemental_groups)}"


def _unknown(found: ContainerIdentity) -> str:
    return f"unknown: {printable(found.unpredicted) or 'nobody has looked'}"


def _identity(found: Identity) -> str:
    ids = f"uid {ids_text(found.uid)}  gid {ids_text(found.gid)}  groups {groups_text(found.groups)}"
    limits = (("no_new_privs", found.no_new_privs), ("seccomp filter", bool(found.seccomp)))
    said = "".join(f"  {name}" for name, holds in limits if holds)
    return f"{ids}  capabilities {capability.listed(found.cap_effective)}{said}"
