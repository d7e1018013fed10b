"""Which devices a container's device list lets its processes open.

Specification (runtime-spec 1.0.2 `linux.resources.devices`, cgroups(7), Linux `devcgroup_inode_permission`; crun 1.8
and runc 1.1 as observed), in our words:
- The rules are read in order; the last one that is about a device and an access (r, w, m) decides. What no rule is
  about is allowed by crun, and refused by runc. The runtimes put their own rules behind those of the spec, so nobody
  can take these devices away: null, zero, full, random, urandom, tty, ptmx, the terminals of devpts, and making any
  node; crun adds the console, runc the tunnel.
- The kernel asks the list for every block or character device whose file is opened, after the file's owner and mode,
  and wherever the file is: also below a directory of the host that is mounted. What the list closes is EPERM. No
  capability opens it.
"""

from __future__ import annotations

from msgspec import Struct, structs

from podward.api.filesystem import BLOCK, TYPE_MASK, FileAccessFacts
from podward.api.node import Node
from podward.api.oci import DeviceRule, RuntimeSpec
from podward.decision import Decision, assign
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

LIST = rule("cgroups(7)")
WATCHED: dict[str, tuple[str, int, int]] = {
    "null": ("c", 1, 3),
    "zero": ("c", 1, 5),
    "full": ("c", 1, 7),
    "random": ("c", 1, 8),
    "urandom": ("c", 1, 9),
    "tty": ("c", 5, 0),
    "console": ("c", 5, 1),
    "ptmx": ("c", 5, 2),
    "pts": ("c", 136, 0),
    "mem": ("c", 1, 1),
    "kmsg": ("c", 1, 11),
    "tun": ("c", 10, 200),
    "fuse": ("c", 10, 229),
    "kvm": ("c", 10, 232),
    "loop-control": ("c", 10, 237),
    "sda": ("b", 8, 0),
}
"""Devices by their usual names, with type, major and minor number: the prediction is about these."""
EVERY = "all"
NODES = ("null", "zero", "full", "random", "urandom", "tty")
"""The nodes that a runtime makes in a new /dev; anybody may use them (mode 0666)."""

_BOTH: tuple[tuple[str, int | None, int | None], ...] = (
    *(WATCHED[name] for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx")),
    ("c", 136, None),
)
_OWN = {"crun": (*_BOTH, WATCHED["console"]), "runc": (*_BOTH, WATCHED["tun"])}


class Device(Struct, frozen=True, gc=False):
    """A device's type (`c` or `b`), major and minor number."""

    type: str
    major: int
    minor: int


def decide(spec: RuntimeSpec, node: Node, sources: Sources) -> Decision:
    """`devices`: those of the watched devices that are open, or `all`."""
    if not node.cgroups:
        return assign(path("devices"), (EVERY,), "a device list is a cgroup's, and there are none", LIST)
    rules = rules_of(spec, node.runtime)
    open_ones = tuple(name for name, numbers in WATCHED.items() if not closed(rules, Device(*numbers)))
    return assign(
        path("devices"), summary(open_ones), "linux.resources.devices", sources.of("linux", "resources", "devices")
    )


def summary(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of open devices; one word where every watched device is open."""
    return (EVERY,) if len(names) == len(WATCHED) else names


def rules_of(spec: RuntimeSpec, runtime: str) -> tuple[DeviceRule, ...]:
    """The rules of the spec with those that the OCI runtime adds."""
    own = (DeviceRule(True, kind, major, minor, "rwm") for kind, major, minor in _OWN.get(runtime, _BOTH))
    first = (DeviceRule(False, access="rwm"),) if runtime == "runc" else ()
    return (*first, *spec.linux.resources.devices, *own)


def closed(rules: tuple[DeviceRule, ...], device: Device) -> str:
    """The letters, of `rw`, that the list does not let through for this device."""
    return "".join(letter for letter in "rw" if not _allowed(rules, device, letter))


def marked(chain: tuple[FileAccessFacts, ...], rules: tuple[DeviceRule, ...]) -> tuple[FileAccessFacts, ...]:
    """The files of a path, with what the device list closes of each."""
    return tuple(_marked(file, rules) if file.device else file for file in chain)


def _marked(file: FileAccessFacts, rules: tuple[DeviceRule, ...]) -> FileAccessFacts:
    kind = "b" if file.mode & TYPE_MASK == BLOCK else "c"
    return structs.replace(file, closed=closed(rules, Device(kind, file.major, file.minor)))


def _allowed(rules: tuple[DeviceRule, ...], device: Device, letter: str) -> bool:
    for each in reversed(rules):
        if letter in (each.access or "rwm") and _about(each, device):
            return each.allow
    return True


def _about(each: DeviceRule, device: Device) -> bool:
    return (
        each.type in {"", "a", device.type}
        and each.major in {None, -1, device.major}
        and each.minor in {None, -1, device.minor}
    )
