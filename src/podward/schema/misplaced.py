"""Fields of a security context that are written on the Pod and belong to containers, or the other way round.

Specification (core/v1 of Kubernetes), in our words: SecurityContext (a container's) and PodSecurityContext share
some fields, and each has some that the other lacks: `capabilities`, `privileged`, `allowPrivilegeEscalation`,
`readOnlyRootFilesystem` and `procMount` are only the container's; `fsGroup`, `supplementalGroups`, `sysctls` and a few
more only the Pod's. The API server refuses each in the other's place as an unknown field and does not say where it
belongs. `podward.schema.strict` may ask here for its advice.
"""

from __future__ import annotations

from podward.path import Path, path
from podward.schema.table import TYPES

CONTAINER, POD = "SecurityContext", "PodSecurityContext"


def advice(at: Path, name: str) -> str:
    """Where the field `name`, which stands in the object `at` and is unknown there, belongs; empty if nobody knows.

    `at` is relative to the Pod or to whatever holds its `spec`.
    """
    steps = at.segments
    if steps[-2:] == ("spec", "securityContext") and _only(name, CONTAINER, POD):
        right = path(*steps[:-1], "containers", 0, "securityContext", name)
        return f"{name} is a field of containers: write it as {right}, and so for each container"
    in_container = len(steps) >= 4 and steps[-1] == "securityContext" and isinstance(steps[-2], int)
    if in_container and _only(name, POD, CONTAINER):
        right = path(*steps[:-3], "securityContext", name)
        return f"{name} is a field of Pods: write it as {right}, for all containers"
    return ""


def _only(name: str, here: str, there: str) -> bool:
    return name in TYPES[here] and name not in TYPES[there]
