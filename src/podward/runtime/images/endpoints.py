"""Where an image is asked for: the mirrors of its registry, in their order, then the registry itself.

What is configured comes in two formats, each read by a module of its own: containerd's directory of `hosts.toml`
(`hosts_toml`), whose word counts for the hosts that it has, and `registries.conf` (`registries_conf`) for all others.
An image's names are always those that were asked for, never a mirror's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct

from podward.api.reference import Reference

DOCKER_HOST = "registry-1.docker.io"
"""The host of docker.io's API."""
_CERTIFICATES = ("/etc/containers/certs.d", "/etc/docker/certs.d")


class Certificates(Struct, frozen=True):
    """Files for TLS: authorities, and pairs of a client's certificate and key (the same file if it has both)."""

    authorities: tuple[str, ...] = ()
    clients: tuple[tuple[str, str], ...] = ()


class Endpoint(Struct, frozen=True):
    """One place that may have an image.

    `host` may have a port, `root` is the path of its API, `repository` the image's path there. `schemes` are tried in
    this order: http follows https only where the registry may go without TLS. `mirror_of` is the host that it stands
    for, empty for the registry itself; it is told the mirror if `tells_namespace`. An endpoint that does not `resolve`
    is not asked what a tag means. Only the registry itself is given the credentials that came for the image.
    """

    host: str
    repository: str
    root: str = "/v2"
    schemes: tuple[str, ...] = ("https",)
    verify: bool = True
    certificates: Certificates = Certificates()
    headers: Mapping[str, str] = {}
    mirror_of: str = ""
    tells_namespace: bool = False
    resolves: bool = True

    @property
    def name(self) -> str:
        """How errors call it."""
        return f"{self.host}/{self.repository}"


def own_endpoint(reference: Reference, *, insecure: bool) -> Endpoint:
    """The registry that the name says. If `insecure`, its certificate is not verified, and it may speak plain HTTP."""
    host = DOCKER_HOST if reference.domain == "docker.io" else reference.domain
    return Endpoint(
        host,
        reference.path,
        schemes=("https", "http") if insecure else ("https",),
        verify=not insecure,
        certificates=installed_certificates(host),
    )


def is_loopback(domain: str) -> bool:
    """Whether a registry is on this machine: localhost, 127.0.0.0/8 or ::1, with any port."""
    if domain.startswith("["):
        return domain[1:].partition("]")[0] == "::1"
    host = domain.partition(":")[0]
    if host == "localhost":
        return True
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts) and parts[0] == "127"


def installed_certificates(host: str) -> Certificates:
    """What the machine has for this host, as containers-certs.d(5) says."""
    found = [certificates_in(f"{directory}/{host}") for directory in _CERTIFICATES]
    return next((one for one in found if one != Certificates()), Certificates())


def certificates_in(directory: str) -> Certificates:
    """The files of a directory in Docker's layout: NAME.crt is an authority, NAME.cert and NAME.key are a client's."""
    try:
        names = sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return Certificates()
    authorities = tuple(f"{directory}/{name}" for name in names if name.endswith(".crt"))
    clients = []
    for name in names:
        if name.endswith(".cert"):
            key = name.removesuffix(".cert") + ".key"
            clients.append((f"{directory}/{name}", f"{directory}/{key if key in names else name}"))
    return Certificates(authorities, tuple(clients))
