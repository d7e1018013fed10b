"""`policy.json`: what the machine demands of images before they may be pulled.

Specification (containers-policy.json(5), in our words): of `transports.docker` the longest scope that the image is in
counts: NAME:TAG or NAME@DIGEST, NAME, the namespaces above it, the host, `*.example.com` for hosts below it, and the
empty scope; else `default` does. Every requirement of the list must be met.

Signatures can't be checked here. So only `insecureAcceptAnything` can be met: whoever demands more gets no image,
rather than one that nobody has looked at. Without a file nothing is demanded, as containerd does.
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct

from podward.api.reference import Reference
from podward.errors import InputError, RefusedError

_MACHINES_FILE = "/etc/containers/policy.json"
_MET = "insecureAcceptAnything"


class _Requirement(Struct, frozen=True):
    type: str


class _Policy(Struct, frozen=True):
    default: tuple[_Requirement, ...]
    transports: dict[str, dict[str, tuple[_Requirement, ...]]] = {}


def refuse(reference: Reference, file: str = "") -> None:
    """Raise RefusedError if the policy demands of the image what can't be met; without a name it is the usual file."""
    place = file or _usual_file()
    try:
        with open(place, "rb") as opened:
            policy = msgspec.json.decode(opened.read(), type=_Policy)
    except FileNotFoundError:
        return
    except (OSError, msgspec.MsgspecError) as error:
        advice = "correct it (containers-policy.json(5)): nothing is pulled while nobody knows what it demands"
        raise InputError(f"can't be read: {error}", where=place, advice=advice) from None
    scopes = policy.transports.get("docker", {})
    scope = next((each for each in _scopes(reference) if each in scopes), None)
    demanded = policy.default if scope is None else scopes[scope]
    unmet = next((each.type for each in demanded if each.type != _MET), "" if demanded else "nothing at all")
    if unmet:
        raise RefusedError(
            f"the machine's policy demands {unmet!a} of it, which can't be checked here",
            where=str(reference),
            advice=f"pull it with skopeo and `podward image import` it, or see {place}",
        )


def _usual_file() -> str:
    own = os.path.expanduser("~/.config/containers/policy.json")
    return own if os.path.exists(own) else _MACHINES_FILE


def _scopes(reference: Reference) -> list[str]:
    """The scopes that the image is in, the longest first."""
    found, name = [str(reference)], reference.repository
    while name:
        found.append(name)
        name = name.rpartition("/")[0]
    host = reference.domain.partition(":")[0]
    while "." in host:
        host = host.partition(".")[2]
        found.append(f"*.{host}")
    return [*found, ""]
