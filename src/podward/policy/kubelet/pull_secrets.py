"""The credentials for an image in a Pod's pull secrets.

Specification (kubelet, pkg/credentialprovider keyring.go and config.go, in our words): a Secret of type
kubernetes.io/dockerconfigjson holds `auths` by registry, one of type kubernetes.io/dockercfg holds them without that
word around. A key is a host, with a port or not, and with a path or not; `https://`, and the paths /v1/ and /v2/ of
Docker's own, do not count. In a host, `*` stands for any part between dots. Keys whose host matches and whose path
begins the image's are meant, the longest first; for images of Docker Hub also index.docker.io.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from podward.api import reference
from podward.api.cri_status import AuthConfig
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member

_HUB = "index.docker.io"
_FILES = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}


def credentials(image: str, secrets: Iterable[JsonObject]) -> tuple[AuthConfig, ...]:
    """What is to be tried for this image, in this order. Raises ImageError for what is no image's name."""
    name = reference.parse(image)
    host = _HUB if name.domain == "docker.io" else name.domain
    found = [(key, login) for key, login in _logins(secrets) if _is_meant(key, host, name.path)]
    return tuple(login for _, login in sorted(found, key=lambda row: row[0], reverse=True))


def _logins(secrets: Iterable[JsonObject]) -> Iterator[tuple[str, AuthConfig]]:
    for secret in secrets:
        file = _FILES.get(str(secret.get("type")))
        text = member(secret, "data").get(file) if file else None
        if not isinstance(text, str):
            continue
        try:
            written = msgspec.json.decode(base64.b64decode(text), type=dict)
        except (binascii.Error, msgspec.DecodeError):
            continue
        logins = member(written, "auths") if file == ".dockerconfigjson" else written
        for key, login in logins.items():
            if isinstance(login, dict):
                yield _key(key), _login(key, login)


def _login(key: str, login: JsonObject) -> AuthConfig:
    words = {name: text for name in ("username", "password", "auth") if isinstance(text := login.get(name), str)}
    return AuthConfig(**words, server_address=_key(key).partition("/")[0])


def _key(written: str) -> str:
    """A registry with its path, as keys are compared."""
    bare = written.removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = bare.partition("/")
    return host if path in {"v1", "v2"} else f"{host}{slash}{path}"


def _is_meant(key: str, host: str, path: str) -> bool:
    pattern, _, prefix = key.partition("/")
    if pattern == "docker.io":
        pattern = _HUB
    parts, wanted = pattern.split("."), host.split(".")
    hosts = len(parts) == len(wanted) and all(map(fnmatchcase, wanted, parts))
    return hosts and path.startswith(prefix)
