"""Secrets and ConfigMaps, whose data become files and variables of a container, and what such a file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

ContentKind: TypeAlias = Literal["Secret", "ConfigMap"]


class ContentObject(Struct, frozen=True):
    """A Secret or a ConfigMap: `data` maps its keys to their bytes, those of `binaryData` and `stringData` included.

    `text` are the keys whose values are text; only these of a ConfigMap can become environment variables. Printing the
    object prints no data.
    """

    kind: ContentKind
    namespace: str
    name: str
    data: Mapping[str, bytes]
    text: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name} with {len(self.data)} keys"


class KeyContent(Struct, frozen=True, tag=True):
    """What a key of a Secret or ConfigMap holds; the bytes stay in the object."""

    kind: ContentKind
    name: str
    key: str


class FieldContent(Struct, frozen=True, tag=True):
    """Text of the Pod itself, by the downward API."""

    text: str


class TokenContent(Struct, frozen=True, tag=True):
    """A token of the Pod's service account for this audience, valid for so many seconds.

    An empty audience is the API server's own.
    """

    audience: str
    expiration_seconds: int


class CertificateContent(Struct, frozen=True, tag=True):
    """The certificate of the authority that signs for the cluster, in PEM."""


Content: TypeAlias = "KeyContent | FieldContent | TokenContent | CertificateContent"
