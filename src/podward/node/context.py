"""What the parts of the node share."""

from __future__ import annotations

from msgspec import Struct

from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Informers
from podward.node.log import Log
from podward.node.options import Options
from podward.node.runtime import Runtime
from podward.policy.kubelet.node_object import MachineInfo, NodeIdentity
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.client import EngineClient


class NodeContext(Struct, frozen=True):
    """Who the node is, the API server as it sees it, the CRI runtime, and the engine that does its own verbs."""

    options: Options
    identity: NodeIdentity
    machine: MachineInfo
    client: Client
    informers: Informers
    recorder: Recorder
    runtime: Runtime
    engine: EngineClient[RuntimeService]
    log: Log
