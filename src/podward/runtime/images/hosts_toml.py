"""containerd's directory of registries: `DIRECTORY/HOST/hosts.toml`.

Specification (containerd 2, docs/hosts.md and core/remotes/docker/config; in our words):
- For HOST:PORT the directories `HOST_PORT_`, `HOST:PORT` and `_default` are looked at, in this order; the first that
  is there counts.
- Each `[host."URL"]` is a mirror, in the order of the file; the registry itself follows: `server`, or HOST. A URL
  without a scheme is https. `/v2` is appended to its path, unless it is there or `override_path` is set.
- A mirror that has no `resolve` among its `capabilities` is not asked what a tag means, one without `pull` for nothing.
- `ca` (a file or a list), `client` (a file, a list of files, or a list of pairs), `skip_verify`, `header`; on top they
  are for the registry itself. Paths are relative to the directory. `http` with any of the first three tries TLS first.
- Mirrors are told in `?ns=` which registry they stand for.
- A directory without hosts.toml may have certificates in Docker's layout.

Unlike containerd we say what is wrong with a file, and do not go on without it.
"""

from __future__ import annotations

import os
import posixpath
import urllib.parse

from msgspec import Struct, field

from podward.api.reference import Reference
from podward.errors import InputError
from podward.runtime.images.endpoints import DOCKER_HOST, Certificates, Endpoint, certificates_in
from podward.runtime.images.registries_conf import read_toml

_CAPABILITIES = frozenset(("pull", "resolve", "push", "referrers"))


class _Host(Struct, frozen=True, kw_only=True):
    capabilities: tuple[str, ...] = ()
    ca: str | tuple[str, ...] = ()
    client: str | tuple[str | tuple[str, str], ...] = ()
    skip_verify: bool | None = None
    header: dict[str, str | tuple[str, ...]] = {}
    override_path: bool = False


class _HostsFile(_Host, frozen=True, kw_only=True):
    server: str = ""
    hosts: dict[str, _Host] = field(default={}, name="host")


def endpoints(directory: str, reference: Reference) -> tuple[Endpoint, ...]:
    """The places for this image; none if the directory says nothing of its host. Raises InputError if it is wrong."""
    own = _own_directory(directory, reference.domain)
    if not own:
        return ()
    file = f"{own}/hosts.toml"
    if not os.path.exists(file):
        host = DOCKER_HOST if reference.domain == "docker.io" else reference.domain
        return (Endpoint(host, reference.path, certificates=certificates_in(own)),)
    content = read_toml(file, _HostsFile)
    mirrors = [_endpoint(url, host, own, reference) for url, host in content.hosts.items()]
    mirrors = [each for each, host in zip(mirrors, content.hosts.values(), strict=True) if _may(host, "pull")]
    last = _endpoint(content.server or _url_of(reference.domain), content, own, reference)
    return (*mirrors, last) if _may(content, "pull") else tuple(mirrors)


def _own_directory(directory: str, domain: str) -> str:
    host, colon, port = domain.rpartition(":")
    names = (f"{host}_{port}_", domain, "_default") if colon and not port.endswith("]") else (domain, "_default")
    return next((f"{directory}/{name}" for name in names if os.path.isdir(f"{directory}/{name}")), "")


def _url_of(domain: str) -> str:
    return f"https://{DOCKER_HOST if domain == 'docker.io' else domain}"


def _endpoint(url: str, host: _Host, directory: str, reference: Reference) -> Endpoint:
    split = urllib.parse.urlsplit(url if "://" in url else f"https://{url}")
    file = f"{directory}/hosts.toml"
    unknown = set(host.capabilities) - _CAPABILITIES
    if split.scheme not in {"http", "https"} or not split.netloc or "@" in split.netloc or unknown:
        what = f"{min(unknown)!a} is no capability" if unknown else f"{url!a} is no http or https URL"
        raise InputError(what, where=file, advice="see containerd's docs/hosts.md")
    path = posixpath.normpath(split.path) if split.path else ""
    path = "" if path == "/" else path
    own = split.netloc == urllib.parse.urlsplit(_url_of(reference.domain)).netloc
    certificates = Certificates(_files(host.ca, directory), _pairs(host.client, directory))
    tls_too = split.scheme == "http" and (certificates != Certificates() or host.skip_verify is not None)
    return Endpoint(
        split.netloc,
        reference.path,
        root=path if host.override_path or path.endswith("/v2") else f"{path}/v2",
        schemes=("https", "http") if tls_too else (split.scheme,),
        verify=not host.skip_verify,
        certificates=certificates,
        headers={name: value if isinstance(value, str) else ", ".join(value) for name, value in host.header.items()},
        mirror_of="" if own else reference.domain,
        tells_namespace=not own,
        resolves=_may(host, "resolve"),
    )


def _may(host: _Host, capability: str) -> bool:
    return not host.capabilities or capability in host.capabilities


def _files(said: str | tuple[str, ...], directory: str) -> tuple[str, ...]:
    return tuple(os.path.join(directory, file) for file in ((said,) if isinstance(said, str) else said))


def _pairs(said: str | tuple[str | tuple[str, str], ...], directory: str) -> tuple[tuple[str, str], ...]:
    found = []
    for each in (said,) if isinstance(said, str) else said:
        certificate, key = (each, each) if isinstance(each, str) else each
        found.append((os.path.join(directory, certificate), os.path.join(directory, key)))
    return tuple(found)
