"""How large the ReplicaSets of a Deployment may be.

Specification: Kubernetes, pkg/controller/deployment/util: ResolveFenceposts, NewRSNewReplicas, GetReplicaSetProportion.
maxSurge is rounded up, maxUnavailable down; if both come to none, one Pod may be unavailable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.controllers.apps.ownership import annotations_of
from podward.documents.raw_fields import member
from podward.schema.strategies.int_or_percent import scaled
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import JsonObject

DESIRED = "deployment.kubernetes.io/desired-replicas"
LARGEST = "deployment.kubernetes.io/max-replicas"
UNLIMITED = (1 << 31) - 1
"""What stands for no limit, and the largest of the numbers."""


def replicas_of(obj: JsonObject) -> int:
    """The replicas that are wished for."""
    return number(member(obj, "spec"), "replicas")


def total(sets: Iterable[JsonObject]) -> int:
    """The replicas that all of them wish for."""
    return sum(map(replicas_of, sets))


def counted(sets: Iterable[JsonObject], name: str) -> int:
    """The sum of a number in their status."""
    return sum(number(member(each, "status"), name) for each in sets)


def is_rolling(deployment: JsonObject) -> bool:
    """Whether it is updated little by little."""
    return member(member(deployment, "spec"), "strategy").get("type") == "RollingUpdate"


def surge(deployment: JsonObject) -> int:
    """How many Pods more than wished for there may be."""
    return _fence_posts(deployment)[0] if is_rolling(deployment) else 0


def unavailable(deployment: JsonObject) -> int:
    """How many of the Pods wished for may be unavailable."""
    wished = replicas_of(deployment)
    return min(_fence_posts(deployment)[1], wished) if is_rolling(deployment) and wished else 0


def _fence_posts(deployment: JsonObject) -> tuple[int, int]:
    rolling, wished = member(member(member(deployment, "spec"), "strategy"), "rollingUpdate"), replicas_of(deployment)
    over = scaled(rolling.get("maxSurge"), wished, up=True)
    under = scaled(rolling.get("maxUnavailable"), wished, up=False)
    return (over, under) if over or under else (0, 1)


def size_of_new(deployment: JsonObject, sets: Iterable[JsonObject], new: JsonObject) -> int:
    """The size of the newest ReplicaSet, which is among `sets`."""
    wished, has = replicas_of(deployment), replicas_of(new)
    if not is_rolling(deployment):
        return wished
    rolling = member(member(member(deployment, "spec"), "strategy"), "rollingUpdate")
    room = wished + scaled(rolling.get("maxSurge"), wished, up=True) - total(sets)
    return has + min(room, wished - has) if room > 0 else has


def share(deployment: JsonObject, found: JsonObject, to_add: int, added: int) -> int:
    """How many of the replicas that are `to_add` (or, below 0, to be taken) fall to this ReplicaSet."""
    if not replicas_of(found) or to_add in {0, added}:
        return 0
    part, allowed = _part(deployment, found), to_add - added
    return min(part, allowed) if to_add > 0 else max(part, allowed)


def _part(deployment: JsonObject, found: JsonObject) -> int:
    has, wished = replicas_of(found), replicas_of(deployment)
    if not wished:
        return -has
    before = annotated(found, LARGEST) or number(member(deployment, "status"), "replicas")
    return _rounded(has * (wished + surge(deployment)), before) - has if before else 0


def _rounded(over: int, under: int) -> int:
    """The quotient, halves rounded up."""
    return (2 * over + under) // (2 * under)


def annotated(found: JsonObject, name: str) -> int | None:
    """The number in an annotation of a ReplicaSet; nothing where there is none that could be a size."""
    written = annotations_of(found).get(name)
    if (
        not isinstance(written, str)
        or not written.isascii()
        or not written.isdecimal()
        or len(written) > len(str(UNLIMITED))
    ):
        return None
    size = int(written)
    return size if size <= UNLIMITED else None
