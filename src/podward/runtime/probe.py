"""Which OCI runtime runs the containers here, and what it needs.

The choice is made from facts: which programs are there, and how cgroups are mounted. A program is started once, to
hear its version and to know that it starts at all; the answer is kept in the state directory until the program, the
kernel or the mounts change, so `podward run` starts nothing for it a second time.

Cgroups, in our words (cgroups(7); crun 1.8 and runc 1.1 as observed): `v2` is the unified hierarchy at /sys/fs/cgroup;
`v1` one hierarchy per controller; `hybrid` v1 with the unified one beside it at /sys/fs/cgroup/unified. crun
refuses a hybrid whose unified hierarchy has a controller ("cgroups in hybrid mode not supported"), but only looks at
that mount point: out of its sight, in a mount namespace of ours, all is well. runc and runsc do not mind.
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct

from podward.errors import NodeError
from podward.runtime import cgroups, processes
from podward.runtime.oci import Engine, write_private
from podward.runtime.state import state_root

AUTO = "auto"
PREFERRED = ("crun", "runc")
"""The kinds that run ordinary Pods, the faster first."""
SANDBOXED = "runsc"
"""The kind for a sandboxed RuntimeClass."""
UNIFIED = "/sys/fs/cgroup/unified"

_DIRECTORIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_CACHE = "runtime.json"
_LARGEST = 65536


class RuntimeChoice(Struct, frozen=True):
    """An OCI runtime: its kind, program and version, the cgroup layout (`v2`, `v1`, `hybrid`, `none`) and its needs.

    `needs_private_cgroup_mounts`: run it where /sys/fs/cgroup/unified is not mounted (`mount_namespace.enter`).
    `arguments` go before the verb on its command line.
    """

    kind: str
    path: str
    version: str
    cgroup: str
    needs_private_cgroup_mounts: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def engine(self) -> Engine:
        """What its driver is made of."""
        return Engine(self.kind, self.path, self.arguments)

    @property
    def recursive_read_only(self) -> bool:
        """Whether its `features` list the mount option rro: runc since 1.1, crun since 1.9 (1.8 fails on files)."""
        numbers = tuple(int(number) if number.isdigit() else 0 for number in self.version.split("."))
        return self.kind == "runc" or (self.kind == "crun" and numbers >= (1, 9))


class _Known(Struct, frozen=True):
    """What the cache holds: versions by program, size, time and kernel."""

    versions: dict[str, str] = {}


def choose(wanted: str = AUTO, root: str | None = None) -> RuntimeChoice:
    """The runtime to use: the first of PREFERRED that is there and starts, or `wanted` (a kind, or a program's path).

    `root` is the state directory, that of `PODWARD_ROOT` where it is None. Ask before the mounts are changed.
    Raises NodeError where there is none.
    """
    layout, unified_controllers = cgroup_layout()
    state = state_root() if root is None else root
    known = _read_cache(state)
    for name in PREFERRED if wanted == AUTO else (wanted,):
        program = find(name)
        version = _version(program, known, state) if program else ""
        if version:
            kind = kind_of(name)
            hide = kind == "crun" and layout == "hybrid" and unified_controllers
            if not cgroups.usable():
                return RuntimeChoice(
                    kind, program, version, "none", hide, (*arguments_for(kind), *_WITHOUT_CGROUPS.get(kind, ()))
                )
            return RuntimeChoice(kind, program, version, layout, hide, arguments_for(kind))
    if wanted == AUTO:
        advice = "`apt install crun` (or runc); `podward doctor` says what else is missing"
        raise NodeError("no OCI runtime is here", advice=advice)
    advice = f"install it (Debian: `apt install {kind_of(wanted)}`), or choose another"
    raise NodeError(f"the OCI runtime {wanted!r} is not here or does not start", advice=advice)


def kind_of(name: str) -> str:
    """crun, runc or runsc for a program's name or path; another program is taken for a runc."""
    base = os.path.basename(name)
    return next((kind for kind in (*PREFERRED, SANDBOXED) if base.startswith(kind)), "runc")


_WITHOUT_CGROUPS = {"crun": ("--cgroup-manager=disabled",)}
"""What a kind is told where we may make no cgroups. runc makes none where the spec names none."""


def arguments_for(kind: str) -> tuple[str, ...]:
    """What a kind is told before the verb. runsc: the one platform that every machine has, and cgroups left alone."""
    return ("--platform=ptrace", "--network=none", "--ignore-cgroups") if kind == SANDBOXED else ()


def find(name: str) -> str:
    """The program's path, looked for in PATH and where Debian puts such programs; empty where it is not."""
    if "/" in name:
        return name if os.access(name, os.X_OK) else ""
    places = (*os.environ.get("PATH", "").split(":"), *_DIRECTORIES)
    found = (f"{place}/{name}" for place in places if place.startswith("/"))
    return next((program for program in found if os.path.isfile(program) and os.access(program, os.X_OK)), "")


def cgroup_layout() -> tuple[str, bool]:
    """`v2`, `v1`, `hybrid` or `none`, and whether a hybrid's unified hierarchy has a controller."""
    kinds: dict[str, str] = {}
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                fields = line.split(" ", 3)
                if len(fields) == 4 and fields[1].startswith("/sys/fs/cgroup"):
                    kinds[fields[1]] = fields[2]
    except OSError:
        return "none", False
    if kinds.get("/sys/fs/cgroup") == "cgroup2":
        return "v2", False
    if "cgroup" not in kinds.values():
        return "none", False
    if kinds.get(UNIFIED) != "cgroup2":
        return "v1", False
    return "hybrid", bool(controllers(UNIFIED))


def controllers(directory: str) -> tuple[str, ...]:
    """The controllers of a cgroup of the unified hierarchy."""
    try:
        with open(f"{directory}/cgroup.controllers", encoding="ascii") as file:
            return tuple(file.read().split())
    except OSError:
        return ()


def version_of(program: str) -> str:
    """The version that a program tells about itself; empty where it does not start or says none."""
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        code = processes.run(program, ("--version",), stdout=write, stderr=write)
        os.set_blocking(read, False)
        said = os.read(read, _LARGEST).decode("utf-8", "replace")
    except (NodeError, BlockingIOError):
        return ""
    finally:
        os.close(read)
        os.close(write)
    words = said.replace(",", " ").split() if code == 0 else []
    numbers = (word.removeprefix("v").removeprefix("release-") for word in words)
    return next((number for number in numbers if number[:1].isdigit()), "unknown" if words else "")


def _version(program: str, known: _Known, state_root: str) -> str:
    key = _key(program)
    if key in known.versions:
        return known.versions[key]
    version = version_of(program)
    if version:
        # Only what is still true is kept, so the file does not grow with every upgrade.
        kept = {other: text for other, text in known.versions.items() if not other.startswith(f"{program}:")}
        _write_cache(state_root, _Known({**kept, key: version}))
    return version


def _key(program: str) -> str:
    """What the answer depends on: the very file, and the kernel that runs it."""
    facts = os.stat(program)
    return f"{program}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}:{os.uname().release}"


def _read_cache(state_root: str) -> _Known:
    try:
        with open(f"{state_root}/{_CACHE}", "rb") as file:
            return msgspec.json.decode(file.read(_LARGEST), type=_Known)
    except (OSError, msgspec.DecodeError):
        return _Known()  # not there, or damaged: it is made anew


def _write_cache(state_root: str, known: _Known) -> None:
    fresh = f"{state_root}/{_CACHE}.{os.getpid()}"
    try:
        write_private(fresh, msgspec.json.encode(known))
        os.replace(fresh, f"{state_root}/{_CACHE}")
    except OSError:
        return  # without a cache the next call asks again
