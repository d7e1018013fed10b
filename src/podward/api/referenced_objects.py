"""The objects that Pods refer to by name: what a kubelet or a controller would ask the API server for."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.content import ContentKind, ContentObject
from podward.api.storage import Storage
from podward.decision import Unknown


class Missing(Struct, frozen=True):
    """There is no such object, or none that an API server takes; `remedy` is what to do about it."""

    remedy: str


class TrustAnchors(Struct, frozen=True):
    """A ClusterTrustBundle: certificates in PEM, of a signer or of nobody in particular."""

    name: str
    certificates: str
    signer: str = ""
    labels: Mapping[str, str] = {}


class ReferencedObjects(Struct, frozen=True):
    """The objects by kind, namespace and name; one that an API server refuses is `Missing`.

    `storage` has claims, volumes and drivers, and the directories that stand in for volumes.
    `service_variables` are the variables by which containers are told of Services, by name.
    `others` stands for every object that is not here: `Missing` where all that there is was read.
    `trust_bundles` is None where nobody knows of any. `live` ones are an API server's: nothing stands in for what is
    missing, and what is told is what a kubelet tells.
    """

    contents: Mapping[tuple[ContentKind, str, str], ContentObject | Missing] = {}
    others: Missing | Unknown = Missing("give it in the same input, or with --with FILE")
    storage: Storage = Storage()
    service_variables: Mapping[str, str] = {}
    trust_bundles: tuple[TrustAnchors, ...] | None = None
    live: bool = False

    def content(self, kind: ContentKind, namespace: str, name: str) -> ContentObject | Missing | Unknown:
        """The Secret or ConfigMap of this name."""
        return self.contents.get((kind, namespace, name), self.others)

    def told(self, reason: str, advice: str) -> str:
        """A kubelet's sentence, with what to do about it where the user gives the objects himself."""
        return reason if self.live else f"{reason}: {advice}"


NO_OBJECTS = ReferencedObjects()
