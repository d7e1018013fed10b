"""`registries.conf`, the configuration of registries that skopeo, podman and CRI-O share.

Specification (containers-registries.conf(5), format 2; in our words):
- A `[[registry]]` is for images whose name begins with its `prefix`, up to a `/`, `:`, `@` or the end; `*.example.com`
  is for all hosts below example.com. The longest prefix wins. Prefix and `location` stand for each other where one is
  missing. The image's name with the prefix replaced by the location is what is asked for.
- `[[registry.mirror]]`s are asked first, in their order, in the same way. With `mirror-by-digest-only`, or a mirror's
  `pull-from-mirror = "digest-only"`, only for names with a digest; with `"tag-only"` only for others.
- `insecure`: certificates are not verified, and plain HTTP is spoken with who has no TLS. `blocked`: nothing is pulled.
- Files of `registries.conf.d`, in the order of their names, add registries or replace those with the same prefix.

Short names are completed as a kubelet does, so `unqualified-search-registries` and `[aliases]` are not looked at.
Format 1 (`[registries.block]` …) is refused: to pass over it would unblock what it blocks.
"""

from __future__ import annotations

import os
import tomllib
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from podward.api.reference import Reference
from podward.errors import ImageError, InputError
from podward.runtime.images.endpoints import DOCKER_HOST, Endpoint, installed_certificates

_DEFAULT_FILE = "/etc/containers/registries.conf"
T = TypeVar("T", bound=Struct)


class Mirror(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A `[[registry.mirror]]`."""

    location: str
    insecure: bool = False
    pull_from_mirror: str = ""


class Registry(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A `[[registry]]`."""

    prefix: str = ""
    location: str = ""
    insecure: bool = False
    blocked: bool = False
    mirror_by_digest_only: bool = False
    mirrors: tuple[Mirror, ...] = field(default=(), name="mirror")

    @property
    def key(self) -> str:
        """What the names of its images begin with."""
        return self.prefix or self.location


class _File(Struct, frozen=True, rename="kebab"):
    registry: tuple[Registry, ...] = ()
    registries: dict[str, object] | None = None


def read_registries(file: str = "") -> tuple[Registry, ...]:
    """What the file says, and the directory beside it that has its name and `.d`. Raises InputError if it is wrong.

    Without a name it is the one that CONTAINERS_REGISTRIES_CONF names, or the machine's.
    """
    file = file or os.environ.get("CONTAINERS_REGISTRIES_CONF") or _DEFAULT_FILE
    found: dict[str, Registry] = {}
    for place in (file, *_drop_ins(f"{file}.d")):
        for registry in _read(place).registry:
            _check(registry, place)
            found[registry.key] = registry
    return tuple(found.values())


def endpoints(registries: tuple[Registry, ...], reference: Reference) -> tuple[Endpoint, ...]:
    """The places for this image; none if the configuration says nothing of it. Raises ImageError if it is blocked."""
    matches = [(match, each) for each in registries if (match := _matching(each.key, reference.repository))]
    if not matches:
        return ()
    prefix, registry = max(matches, key=lambda match: len(match[1].key))
    if registry.blocked:
        advice = "registries.conf says so, or a file of registries.conf.d: who may, can unblock it there"
        raise ImageError("this registry is blocked on this machine", where=registry.key, advice=advice)
    rest = reference.repository.removeprefix(prefix)
    places = [
        _endpoint(mirror.location + rest, reference, insecure=mirror.insecure, mirror=True)
        for mirror in registry.mirrors
        if _is_asked(mirror, registry, reference)
    ]
    own = (prefix if registry.prefix.startswith("*.") and not registry.location else registry.location or prefix) + rest
    return (*places, _endpoint(own, reference, insecure=registry.insecure, mirror=own != reference.repository))


def _matching(key: str, repository: str) -> str:
    """The beginning of the name that the registry is for; empty if it is not."""
    if key.startswith("*."):
        host = repository.partition("/")[0]
        return host if host.partition(":")[0].endswith(key[1:]) or host.endswith(key[1:]) else ""
    rest = repository.removeprefix(key)
    return key if repository.startswith(key) and (not rest or rest[0] in "/:@") else ""


def _is_asked(mirror: Mirror, registry: Registry, reference: Reference) -> bool:
    wanted = mirror.pull_from_mirror or ("digest-only" if registry.mirror_by_digest_only else "all")
    return wanted in {"all", "digest-only" if reference.digest else "tag-only"}


def _endpoint(place: str, reference: Reference, *, insecure: bool, mirror: bool) -> Endpoint:
    domain, _, path = place.partition("/")
    if not path:
        advice = f"write the location of {reference.repository} with the image's path"
        raise InputError(f"{place!a} names a registry, and no image in it", where="registries.conf", advice=advice)
    host = DOCKER_HOST if domain == "docker.io" else domain
    return Endpoint(
        host,
        path,
        schemes=("https", "http") if insecure else ("https",),
        verify=not insecure,
        certificates=installed_certificates(host),
        mirror_of=reference.domain if mirror else "",
    )


def _drop_ins(directory: str) -> tuple[str, ...]:
    try:
        return tuple(f"{directory}/{name}" for name in sorted(os.listdir(directory)) if name.endswith(".conf"))
    except FileNotFoundError:
        return ()


def _read(file: str) -> _File:
    content = read_toml(file, _File)
    if content.registries is not None:
        advice = "write [[registry]] tables instead, each with prefix, location, insecure, blocked"
        raise InputError("this is format 1, which is not read any more", where=file, advice=advice)
    return content


def _check(registry: Registry, file: str) -> None:
    advice = "see containers-registries.conf(5)"
    if not registry.key:
        raise InputError("a [[registry]] has neither prefix nor location", where=file, advice=advice)
    for mirror in registry.mirrors:
        if mirror.pull_from_mirror not in {"", "all", "digest-only", "tag-only"}:
            what = f"pull-from-mirror is {mirror.pull_from_mirror!a}, not all, digest-only or tag-only"
            raise InputError(what, where=file, advice=advice)
    for place in (registry.location, *(mirror.location for mirror in registry.mirrors)):
        if "://" in place or place.endswith("/"):
            what = f"{place!a} is not HOST[:PORT][/PATH]"
            raise InputError(what, where=file, advice="write it without a scheme and without a slash at its end")


def read_toml(file: str, kind: type[T]) -> T:
    """The content of a file; without content if there is none. Raises InputError if it is not of this type."""
    try:
        with open(file, "rb") as opened:
            return msgspec.convert(tomllib.load(opened), kind)
    except FileNotFoundError:
        return msgspec.convert({}, kind)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise InputError(f"can't be read: {error}", where=file, advice="correct it, or take it away") from None
