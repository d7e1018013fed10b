"""What the node's engine does: the verbs of the CRI runtime, and those of the node itself."""

from __future__ import annotations

from typing import cast

from podward.node import identity_verbs, log_verbs, pod_verbs, volume_verbs
from podward.node.services import verbs as service_verbs
from podward.runtime.service import verbs
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb

_OWN: tuple[object, ...] = (
    *identity_verbs.VERBS,
    *log_verbs.VERBS,
    *pod_verbs.VERBS,
    *volume_verbs.VERBS,
    *service_verbs.VERBS,
)
VERBS = verbs.VERBS | {verb.name: verb for verb in cast("tuple[Verb[RuntimeService, object, object], ...]", _OWN)}
"""What the engine is started with."""
