"""In which form an answer is written, and which forms a body may have: the Accept and Content-Type headers.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/negotiation; before it, the router compares the
words of Accept with what a route produces. Protobuf is read in bodies but not written: where it is asked for beside
JSON, JSON is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from podward.api import status
from podward.api.status import Status

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
PRODUCED = (JSON, YAML, PROTOBUF)
"""What the router thinks that objects are served as."""
STREAMED = (*PRODUCED, f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
"""What the router thinks that lists are served as, which can be watched."""

_WRITTEN = (JSON, YAML)
_TRANSFORMS = frozenset(("Table", "PartialObjectMetadata", "PartialObjectMetadataList"))
_META_VERSIONS = frozenset(("v1", "v1beta1"))


class Accepted(Struct, frozen=True):
    """How to answer: the media type, what the object is turned into (`as_kind`), and for whom."""

    media: str = JSON
    as_kind: str = ""
    as_version: str = "v1"
    pretty: bool = False


DEFAULT = Accepted()


class _Clause(Struct, frozen=True):
    """One of the types that Accept lists."""

    kind: str
    subtype: str
    quality: float
    params: tuple[tuple[str, str], ...]


@lru_cache(256)
def accepted(header: str, *, produced: Sequence[str] = PRODUCED) -> Accepted | Status:
    """How to answer a request with this Accept header, or why nothing can be answered."""
    if not header:
        return DEFAULT
    words = [word.partition(";")[0].strip() for word in header.split(",")]
    if not any(word == "*/*" or word in produced for word in words):
        return status.unroutable_accept(produced)
    for clause in _clauses(header):
        for media in _WRITTEN:
            if not _fits(clause, media):
                continue
            found = _options(clause, media)
            if found is not None:
                return found
    return status.not_acceptable(PRODUCED)


def preferred(header: str, offered: Sequence[str]) -> str:
    """The one of the offered media types that this Accept header likes best; empty where it takes none of them."""
    for clause in _clauses(header or "*/*"):
        for media in offered:
            if _fits(clause, media):
                return media
    return ""


def takes_protobuf_alone(header: str) -> bool:
    """Whether nothing that is written here will do, but Protobuf would."""
    return PROTOBUF in header and isinstance(accepted(header), Status)


def unrouted(header: str) -> Accepted:
    """How to answer where nothing was routed: a Status has to be written in some form."""
    found = accepted(header)
    return DEFAULT if isinstance(found, Status) or found.as_kind else Accepted(found.media, pretty=found.pretty)


def _fits(clause: _Clause, media: str) -> bool:
    kind, _, subtype = media.partition("/")
    return clause.kind in {"*", kind} and clause.subtype in {"*", subtype}


def _options(clause: _Clause, media: str) -> Accepted | None:
    params = dict(clause.params)
    if params.get("stream", "") not in {"", "watch"} or params.get("sv", "") not in {"", "v1"}:
        return None
    pretty = params.get("pretty") == "1"
    if "as" not in params and "g" not in params and "v" not in params:
        return Accepted(media, pretty=pretty)
    kind, version = params.get("as", ""), params.get("v", "")
    if params.get("g") != "meta.k8s.io" or version not in _META_VERSIONS or kind not in _TRANSFORMS:
        return None
    return Accepted(media, kind, version, pretty)


def _clauses(header: str) -> list[_Clause]:
    """The types of the header, the best first."""
    found = []
    for part in header.split(","):
        kind, *params = (word.strip() for word in part.split(";"))
        main, _, sub = kind.partition("/")
        pairs = tuple((key.strip(), value.strip().strip('"')) for key, _, value in (p.partition("=") for p in params))
        found.append(_Clause(main, sub or "*", _quality(dict(pairs).get("q", "1")), pairs))
    return sorted(found, key=lambda clause: (-clause.quality, clause.kind == "*", clause.subtype == "*"))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
