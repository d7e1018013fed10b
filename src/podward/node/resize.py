"""Resources of a Pod that change while it runs: given where there is room, and then what its containers run with.

What was given, and what each container runs with, is noted in the Pod's directory (`allocation.json`): a node that
starts again knows what is pending. What is to be done is `policy.kubelet.resizing`'s to say.
"""

from __future__ import annotations

import contextlib
import os

import msgspec
from msgspec import Struct, field

from podward.api.cri import LinuxContainerResources
from podward.api.cri_requests import UpdateContainerResourcesRequest
from podward.api.effective import Place
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.api.pod_seen import ResizeTold
from podward.documents.raw_fields import member
from podward.path import path
from podward.pipeline import in_order
from podward.policy.kubelet import resizing, resources
from podward.runtime.oci import write_private
from podward.schema.view import pod_view

RECORD = "allocation.json"
PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"
DEFERRED, ERROR = "Deferred", "Error"
_objects = msgspec.json.Decoder(dict).decode


class Resize(Struct):
    """What a Pod was given, what its containers run with, and what is told of it. `wanted` is the Pod as it asks."""

    wanted: JsonObject
    allocation: dict[str, JsonObject]
    actuated: dict[str, JsonObject] = field(default_factory=dict)
    pending: ResizeTold | None = None
    progress: ResizeTold | None = None
    noted: bool = False

    @property
    def told(self) -> tuple[ResizeTold, ...]:
        """What the status tells."""
        return tuple(told for told in (self.pending, self.progress) if told is not None)

    @property
    def given(self) -> JsonObject:
        """The Pod with what it was given."""
        return resizing.given(self.wanted, self.allocation)

    @property
    def generation(self) -> int:
        """The generation of the Pod as it asks."""
        found = member(self.wanted, "metadata").get("generation")
        return found if isinstance(found, int) else 0

    def give(self) -> None:
        """Give the Pod what it asks for: its containers run with what they had until they are changed."""
        for name, had in self.allocation.items():
            self.actuated.setdefault(name, had)
        self.allocation = resizing.asked(self.wanted)
        self.pending, self.progress, self.noted = None, ResizeTold(IN_PROGRESS, self.generation), False

    def runs(self, name: str) -> None:
        """A container runs with what it was given."""
        self.actuated[name] = self.allocation.get(name, {})
        self.noted = False

    def note(self, directory: str) -> None:
        """Write down what is known, where it has changed."""
        if not self.noted:
            new = f"{directory}/{RECORD}.new"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
            write_private(new, msgspec.json.encode({"allocation": self.allocation, "actuated": self.actuated}))
            os.replace(new, f"{directory}/{RECORD}")
            self.noted = True


def known(document: JsonObject, directory: str) -> Resize:
    """What an earlier node has noted of the Pod; else it is given what it asks for."""
    try:
        with open(f"{directory}/{RECORD}", "rb") as file:
            found: JsonObject = _objects(file.read())
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return Resize(document, resizing.asked(document))
    made = Resize(document, _each(found, "allocation"), _each(found, "actuated"), noted=True)
    if any(made.actuated.get(name, had) != had for name, had in made.allocation.items()):
        made.progress = ResizeTold(IN_PROGRESS, made.generation)
    return made


def update_request(document: Resize, node: Node, name: str, run: str) -> UpdateContainerResourcesRequest | None:
    """What the runtime is asked for, for a container to run with what it was given."""
    pod = pod_view(document.given)
    row = next((row for row in in_order(pod, Place("")) if row[2].name == name), None)
    if row is None:
        return None
    decided = resources.decide(pod.spec, row[2], row[1], node.memory)
    made = decided.at(path("linux")).fold(_Linux).linux
    return UpdateContainerResourcesRequest(run, made)


class _Linux(Struct, frozen=True):
    linux: LinuxContainerResources = LinuxContainerResources()


def _each(found: JsonObject, name: str) -> dict[str, JsonObject]:
    return {key: value for key, value in member(found, name).items() if isinstance(value, dict)}
