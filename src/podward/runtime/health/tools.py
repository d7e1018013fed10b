"""Checks of the programs that Podward uses, and of the directory with its state."""

from __future__ import annotations

import os

from podward.errors import NodeError
from podward.runtime import probe
from podward.runtime.health.health_check import LIMITED, MISSING, OK, HealthCheck, health_check
from podward.runtime.state import untrusted

_TOOLS, _STATE = "tools", "state"
_PROGRAMS = (
    ("crun", "crun", "runc is used, which is slower"),
    ("runc", "runc", "crun is all there is"),
    ("runsc", "runsc", "no sandboxed RuntimeClass"),
    ("conmon", "conmon", "no container outlives a restart of a server"),
    ("skopeo", "skopeo", "no archive of `docker save` can be imported"),
    ("umoci", "umoci", "no image can be unpacked"),
    ("nft", "nftables", "nobody reaches a Service by its address"),
    ("conntrack", "conntrack", "UDP clients of a Service may keep an endpoint that is gone"),
    ("catatonit", "catatonit", "no init process for shared process namespaces"),
)
_CNI = ("/usr/lib/cni", "/opt/cni/bin")
_LITTLE = 1 << 30


def programs() -> list[HealthCheck]:
    """Checks of each tool: its version, or the Debian package that has it."""
    checks = []
    for name, package, consequence in _PROGRAMS:
        path = probe.find(name)
        version = probe.version_of(path) if path else ""
        found = f"{version} ({path})" if version else f"{path} does not start" if path else "not installed"
        otherwise = (consequence, f"apt install {package}")
        checks.append(health_check((_TOOLS, name), OK if version else MISSING, found, otherwise))
    place = next((d for d in _CNI if os.access(f"{d}/bridge", os.X_OK)), "")
    otherwise = ("Pods have a loopback device and no other network", "apt install containernetworking-plugins")
    checks.append(health_check((_TOOLS, "CNI plugins"), OK if place else MISSING, place or "not installed", otherwise))
    return checks


def state(root: str) -> list[HealthCheck]:
    """Checks of the state directory: its owner, its mode, and its free space."""
    remedy = "set PODWARD_ROOT to a directory of root's, with nobody else's write permission above it"
    if not os.path.lexists(root):
        return [health_check((_STATE, "directory"), OK, f"{root}: made when it is needed"), _room(_existing(root))]
    facts = os.lstat(root)
    fatal = untrusted(root) if os.path.isdir(root) else "is no directory"
    fault = fatal
    if not fatal and facts.st_uid != os.geteuid():
        fault = f"belongs to uid {facts.st_uid}"
    elif not fatal and facts.st_mode & 0o077:
        fault = f"has mode {facts.st_mode & 0o7777:04o}: others may look into it"
        remedy = f"chmod 700 {root}"
    state_of = MISSING if fatal else LIMITED if fault else OK
    consequence = "no Pod can run" if fatal else "images and Pods of root are open to other users"
    found = f"{root} {fault}".strip()
    return [
        health_check((_STATE, "directory"), state_of, found, (consequence, remedy), required=state_of == MISSING),
        _room(root),
    ]


def _room(directory: str) -> HealthCheck:
    try:
        facts = os.statvfs(directory)
    except OSError as error:
        raise NodeError(f"cannot look at the state directory: {error.strerror}", where=directory) from error
    free = facts.f_bavail * facts.f_frsize
    otherwise = ("images and containers may fill the disk", "make room, or set PODWARD_ROOT to a larger disk")
    found = f"{free / (1 << 30):.1f} GiB free at {directory}"
    return health_check((_STATE, "disk"), OK if free >= _LITTLE else LIMITED, found, otherwise)


def _existing(directory: str) -> str:
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    return directory
