"""What the node has done about a Pod's volumes in a worker of the engine: made, mounted into a container, taken away.

Each call has all that it needs in its arguments, the data of Secrets and tokens too, and finds what was made before on
disk (`kept_volumes`). For one Pod there is one call at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec
from msgspec import Struct, structs

from podward.api.content import TokenContent
from podward.api.core import Pod
from podward.api.cri import IDMapping, Mount
from podward.api.effective import Place
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import Missing, ReferencedObjects, TrustAnchors
from podward.api.storage import PersistentVolume, PersistentVolumeClaim
from podward.decision import Decision
from podward.documents.document import Document
from podward.documents.raw_fields import member
from podward.errors import NodeError
from podward.node import kept_volumes
from podward.node.kept_volumes import Complaint, KeptVolume, KeptVolumes
from podward.policy.kubelet import claim_faults
from podward.policy.kubelet.empty_dir import EmptyDirectory
from podward.policy.kubelet.fs_group import OwnershipChange
from podward.policy.kubelet.host_path import HostFile
from podward.policy.kubelet.volume_files import VolumeFiles
from podward.policy.kubelet.volume_mounts import ResolvedMounts
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.volumes import remove_tree
from podward.runtime.volumes.request import VolumeNode
from podward.runtime.workers.calls import Caller, Verb
from podward.schema.referenced_objects import collect
from podward.schema.validation.raw import strings, text
from podward.schema.view import pod_view

SOURCE = "the API server"
"""The name of the document that a Pod of an API server is."""


_object: Callable[[msgspec.Raw], JsonObject] = msgspec.json.Decoder(dict).decode
_objects: Callable[[msgspec.Raw], list[JsonObject]] = msgspec.json.Decoder(list).decode


class GivenToken(Struct, frozen=True):
    """A token of the Pod's service account, or why there is none."""

    audience: str
    seconds: int
    token: str = ""
    fault: str = ""

    def __repr__(self) -> str:
        return f"GivenToken({self.audience!r}, {self.seconds}, fault={self.fault!r})"


class VolumesRequest(Struct, frozen=True):
    """A Pod with the objects that it refers to, as JSON of an API server; `directory` is the Pod's on this node.

    `mapping` are the ids of its user namespace, `ip` its addresses once it has some. `mounts` is False where whoever
    runs the containers sees no mount of the node's.
    """

    pod: msgspec.Raw
    directory: str
    node: Node
    documents: msgspec.Raw = msgspec.Raw(b"[]")
    tokens: tuple[GivenToken, ...] = ()
    mapping: IDMapping | None = None
    ip: str = ""
    mounts: bool = True

    def __repr__(self) -> str:
        return f"VolumesRequest({self.directory})"


class VolumesAnswer(Struct, frozen=True):
    """What is wrong, and the volumes that are not there: with none of these the Pod's containers may start."""

    complaints: tuple[Complaint, ...] = ()
    unmounted: tuple[str, ...] = ()


class MountsRequest(Struct, frozen=True):
    """A container of the Pod."""

    volumes: VolumesRequest
    container: str


class MountsAnswer(Struct, frozen=True):
    """The messages for the container's volumeMounts, in their order; or why it can't be made."""

    mounts: tuple[Mount, ...] = ()
    refusal: str = ""


class DirectoryRequest(Struct, frozen=True):
    """A directory: a Pod's, or the one of all Pods with the uids of those that are the node's still."""

    directory: str
    uids: tuple[str, ...] = ()


class DirectoryAnswer(Struct, frozen=True):
    """What of it could not be taken away, each with its reason."""

    left: tuple[str, ...] = ()


def learn() -> None:
    """Have msgspec look at each type now, and not in each worker: before the engine is forked."""
    for kind in (Pod, PersistentVolumeClaim, PersistentVolume, dict[str, KeptVolume]):
        msgspec.json.Decoder(kind)
    for folded in (VolumeFiles, EmptyDirectory, HostFile, OwnershipChange, ResolvedMounts):
        Decision().fold(folded)


def facts(asked: VolumesRequest) -> PodFacts:
    """The Pod with its objects."""
    pod = _object(asked.pod)
    found = objects(pod, tuple(_objects(asked.documents)))
    return PodFacts(pod_view(pod), Place(SOURCE), found, asked.node, asked.ip)


def objects(pod: JsonObject, documents: tuple[JsonObject, ...]) -> ReferencedObjects:
    """These documents of an API server, as the stages read them."""
    found = collect([Document(SOURCE, raw) for raw in documents])
    claims = {_name(raw): raw for raw in documents if raw.get("kind") == "PersistentVolumeClaim"}
    disks = {_name(raw): raw for raw in documents if raw.get("kind") == "PersistentVolume"}
    faults = claim_faults.decide(pod, claims.get, disks.get)
    storage = structs.replace(found.storage, faults=faults)
    bundles = tuple(_anchors(raw) for raw in documents if raw.get("kind") == "ClusterTrustBundle")
    return structs.replace(found, others=Missing(""), storage=storage, trust_bundles=bundles, live=True)


def prepare(_service: RuntimeService, asked: VolumesRequest, _caller: Caller) -> VolumesAnswer:
    """Make what is not there, and write files anew."""
    with kept_volumes.locked(asked.directory):
        complaints, unmounted = _volumes(asked).bring()
    return VolumesAnswer(complaints, unmounted)


def mounts(_service: RuntimeService, asked: MountsRequest, _caller: Caller) -> MountsAnswer:
    """Bring the Pod's volumes, and mount what the container's subPaths lead to now."""
    with kept_volumes.locked(asked.volumes.directory):
        volumes = _volumes(asked.volumes)
        volumes.bring()
        found = volumes.mounts_of(asked.container)
    refused = "; ".join(violation.reason for violation in found.decision.violations)
    return MountsAnswer(tuple(mount for mount, _ in found.mounts), refused)


def remove(_service: RuntimeService, asked: DirectoryRequest, _caller: Caller) -> DirectoryAnswer:
    """Take a Pod's volumes away."""
    try:
        with kept_volumes.locked(asked.directory):
            kept_volumes.remove(asked.directory)
    except NodeError as error:
        return DirectoryAnswer((error.what,))
    return DirectoryAnswer()


def sweep(_service: RuntimeService, asked: DirectoryRequest, _caller: Caller) -> DirectoryAnswer:
    """Take the directories of all Pods away that are not the node's any more, their volumes first."""
    left: list[str] = []
    for uid in sorted(set(_names(asked.directory)) - set(asked.uids)):
        try:
            with kept_volumes.locked(f"{asked.directory}/{uid}"):
                kept_volumes.remove(f"{asked.directory}/{uid}")
            remove_tree(f"{asked.directory}/{uid}")
        except NodeError as error:
            left.append(f"Pod {uid}: {error.what}")
    return DirectoryAnswer(tuple(left))


PREPARE_VOLUMES: Verb[RuntimeService, VolumesRequest, VolumesAnswer] = Verb(
    "PrepareVolumes", VolumesRequest, VolumesAnswer, prepare
)
MOUNT_VOLUMES: Verb[RuntimeService, MountsRequest, MountsAnswer] = Verb(
    "MountVolumes", MountsRequest, MountsAnswer, mounts
)
REMOVE_VOLUMES: Verb[RuntimeService, DirectoryRequest, DirectoryAnswer] = Verb(
    "RemoveVolumes", DirectoryRequest, DirectoryAnswer, remove
)
SWEEP_VOLUMES: Verb[RuntimeService, DirectoryRequest, DirectoryAnswer] = Verb(
    "SweepVolumes", DirectoryRequest, DirectoryAnswer, sweep
)
VERBS = (PREPARE_VOLUMES, MOUNT_VOLUMES, REMOVE_VOLUMES, SWEEP_VOLUMES)
"""For the table that the engine is started with."""


def _volumes(asked: VolumesRequest) -> KeptVolumes:
    tokens = {(each.audience, each.seconds): each for each in asked.tokens}

    def token(wanted: TokenContent, _: Pod) -> str:
        found = tokens.get((wanted.audience, wanted.expiration_seconds))
        if found is None or not found.token:
            raise NodeError(found.fault if found is not None else "failed to fetch token: nobody has asked for it")
        return found.token

    memory = "" if asked.mounts else kept_volumes.make_memory(asked.directory)
    node = VolumeNode("", asked.mapping, None, token=token, mounts=asked.mounts, memory=memory)
    return KeptVolumes(asked.directory, facts(asked), node)


def _anchors(raw: JsonObject) -> TrustAnchors:
    spec = member(raw, "spec")
    labels = strings(member(raw, "metadata"), "labels")
    return TrustAnchors(_name(raw), text(spec, "trustBundle"), text(spec, "signerName"), labels)


def _name(raw: JsonObject) -> str:
    return text(member(raw, "metadata"), "name")


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
