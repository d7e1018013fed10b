"""A Pod on its node, with what it may refer to: what the kubelet has at hand when it prepares volumes and variables."""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Pod
from podward.api.effective import Place
from podward.api.node import Node
from podward.api.referenced_objects import NO_OBJECTS, ReferencedObjects

SOME_NODE = Node(capabilities=0)
"""A node of which nobody asks anything."""


class PodFacts(Struct, frozen=True):
    """The Pod, where it is written, the objects that it may refer to, its node, and its address (empty: none)."""

    pod: Pod
    place: Place
    objects: ReferencedObjects = NO_OBJECTS
    node: Node = SOME_NODE
    ip: str = ""
