"""When an image is pulled, if the manifest does not say.

Specification: Kubernetes, SetDefaults_Container, with github.com/distribution/reference: `Always` for the tag
`latest`, written or implied by having neither tag nor digest; `IfNotPresent` for any other tag, for a digest, and for
what is no image reference at all.
"""

from __future__ import annotations

from functools import lru_cache
from re import ASCII, fullmatch

from podward.api.json_value import Json

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = "sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}"
_ID = "[a-f0-9]{64}"
_DOCKER_HUB = "docker.io"
_LONGEST_PATH = 255


def default_pull_policy(image: Json) -> str:
    """The default imagePullPolicy for an image reference."""
    tag = _tag(image) if isinstance(image, str) else None
    return "Always" if tag == "latest" else "IfNotPresent"


@lru_cache(1 << 10)
def _tag(reference: str) -> str | None:
    """The tag, `latest` where neither it nor a digest is written; None if this is no reference, or has a digest alone.

    Remembered: the containers of many Pods have one image.
    """
    name, at, digest = reference.partition("@")
    registry, path = _split(name)
    path, colon, tag = path.partition(":")
    if registry == _DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if fullmatch(_ID, reference) or not _is_name(registry, path):
        return None
    if (at and not fullmatch(_DIGEST, digest)) or (colon and not fullmatch(_TAG, tag, ASCII)):
        return None
    return tag or ("latest" if not at else None)


def _split(name: str) -> tuple[str, str]:
    """The registry and the rest. What could be the name of no host is part of a path on Docker Hub."""
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or not {".", ":"}.isdisjoint(first) or first.lower() != first):
        return (_DOCKER_HUB if first == "index.docker.io" else first), rest
    return _DOCKER_HUB, name


def _is_name(registry: str, path: str) -> bool:
    components = path.split("/")
    if not fullmatch(_REGISTRY, registry):
        components = [*registry.split("/"), *components]
    elif len(path) > _LONGEST_PATH:
        return False
    return all(fullmatch(_COMPONENT, component) for component in components)
