"""Files of one volume that would lie in each other's way."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text

_CERTIFICATE = (
    ("certificateChainPath", "PodCertificate chain"),
    ("keyPath", "PodCertificate key"),
    ("credentialBundlePath", "PodCertificate credential bundle"),
)
_SOURCES = (
    "secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate",
)  # fmt: skip


class _File(Struct, frozen=True):
    path: str
    source: str = ""

    def __str__(self) -> str:
        return f"{quote(self.path)} ({self.source})" if self.source else quote(self.path)


def paths(spec: JsonObject) -> Iterator[str]:
    """Overlapping paths of ConfigMap, Secret, downward API and projected volumes."""
    for volume in objects(spec, "volumes"):
        name = quote(text(volume, "name"))
        for described, files in _simple(volume):
            yield from _within(name, described, files, [])
        earlier: list[_File] = []
        for source in objects(member(volume, "projected"), "sources"):
            if all(source.get(kind) is None for kind in _SOURCES):
                yield f"volume {name} (Projected) has no sources provided"
                continue
            yield from _within(name, "Projected", _projected(source), earlier)


def _simple(volume: JsonObject) -> Iterator[tuple[str, list[_File]]]:
    config_map, secret = member(volume, "configMap"), member(volume, "secret")
    yield f"ConfigMap {quote(text(config_map, 'name'))}", _files(config_map, "")
    yield f"Secret {quote(text(secret, 'secretName'))}", _files(secret, "")
    yield "DownwardAPI", _files(member(volume, "downwardAPI"), "")


def _projected(source: JsonObject) -> list[_File]:
    """The files of the first kind of source that says any."""
    for kind, label in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if member(source, kind).get("items") is not None:
            return _files(member(source, kind), f"{label} {quote(text(member(source, kind), 'name'))}")
    if member(source, "downwardAPI").get("items") is not None:
        return _files(member(source, "downwardAPI"), "DownwardAPI")
    if source.get("serviceAccountToken") is not None:
        return [_file(text(member(source, "serviceAccountToken"), "path"), "ServiceAccountToken")]
    if source.get("clusterTrustBundle") is not None:
        bundle = member(source, "clusterTrustBundle")
        name = text(bundle, "name") if bundle.get("name") is not None else text(bundle, "signerName")
        return [_file(text(bundle, "path"), f"ClusterTrustBundle {quote(name)}")]
    certificate = member(source, "podCertificate")
    return [_file(text(certificate, field), what) for field, what in _CERTIFICATE if text(certificate, field)]


def _files(raw: JsonObject, source: str) -> list[_File]:
    return [_file(text(item, "path"), source) for item in objects(raw, "items")]


def _file(path: str, source: str) -> _File:
    return _File(path.rstrip("/"), source)


def _within(volume: str, described: str, files: list[_File], earlier: list[_File]) -> Iterator[str]:
    """What each file overlaps with among the earlier ones, to which it is added."""
    for file in files:
        for other in earlier:
            if _overlap(file, other):
                yield f"volume {volume} ({described}): overlapping paths: {file} with {other}"
        earlier.append(file)


def _overlap(one: _File, other: _File) -> bool:
    if not one.path or not other.path:
        return False
    return f"{one.path}/".startswith(f"{other.path}/") or f"{other.path}/".startswith(f"{one.path}/")
