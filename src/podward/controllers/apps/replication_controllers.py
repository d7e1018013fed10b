"""The controller of ReplicationControllers, which is the one of ReplicaSets with another selector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.controllers.apps.replica_sets import REPLICATION_CONTROLLERS, ReplicaController, made_for

if TYPE_CHECKING:
    from podward.controllers.context import Context


async def make(context: Context) -> ReplicaController:
    """The controller of ReplicationControllers."""
    return await made_for(context, REPLICATION_CONTROLLERS)
