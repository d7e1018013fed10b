"""Run by test_access.py as a process of its own: random files and processes, and what the kernel lets them do.

    python access_probe.py SEED PROCESSES FILES DIRECTORY

Makes FILES random files for each of PROCESSES random processes below DIRECTORY, in a mount namespace of its own, forks
the processes, and prints one JSON line for each pair: the process, the facts along the path as `podward.runtime.acl`
reads them, and the errno's name (or "") of everything that the process tried.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import signal
import stat
import struct
import sys

import msgspec
from msgspec import Struct

from podward.api.capability import BITS
from podward.api.filesystem import FileAccessFacts, MountFlags
from podward.api.node import IDENTITY
from podward.api.process import ProcessState
from podward.policy.kernel.user_namespace import UserNamespace
from podward.runtime import acl, syscalls, walk

MAP = ((0, 100000, 50000), (50000, 1000, 2))
DISK = ((0, 100000, 50000), (50000, 1000, 2))
"""The id-mapped mount's: what is 0 on disk is the host's 100000, what is 50000 is 1000."""
CAPABILITIES = (
    "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_FSETID",
)  # fmt: skip
AREAS = ("plain", "plain", "plain", "readonly", "noexec", "nodev", "frozen", "mapped", "mapped")
HOST_IDS = (0, 1000, 1001, 2000, 2001)
MAPPED_IDS = (100000, 101000, 1000, 1001)
SECONDS = 20
FACCESSAT2, AT_EACCESS = 439, 0x200
LIBC = ctypes.CDLL(None, use_errno=True)


class Tried(Struct, frozen=True):
    """What came of it: the errno's name by what was tried."""

    seed: str
    area: str
    process: ProcessState
    chain: tuple[FileAccessFacts, ...]
    outcomes: dict[str, str]


def entries(rng: random.Random, ids: tuple[int, ...]) -> bytes:
    """A valid access control list in the kernel's format, with a mask."""

    def bits() -> int:
        return rng.choice((0, 4, 5, 6, 7, 7, rng.randrange(8)))

    rows = [(0x01, bits(), 0xFFFFFFFF)]
    rows += [(0x02, bits(), number) for number in sorted(rng.sample(ids, rng.randrange(min(3, len(ids)))))]
    rows.append((0x04, bits(), 0xFFFFFFFF))
    rows += [(0x08, bits(), number) for number in sorted(rng.sample(ids, rng.randrange(min(4, len(ids)))))]
    rows.append((0x10, rng.choice((0, 4, 5, 7, 7, rng.randrange(8))), 0xFFFFFFFF))
    rows.append((0x20, bits(), 0xFFFFFFFF))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


def dress(rng: random.Random, path: str, ids: tuple[int, ...], *, easy: bool) -> None:
    """Random owner, mode and list; `easy` directories can often be searched."""
    os.chown(path, rng.choice(ids), rng.choice(ids))
    mode = rng.choice((0o755, 0o711, 0o751, 0o775)) if easy and rng.random() < 0.7 else rng.randrange(0o1000)
    if not easy and rng.random() < 0.4:
        mode = rng.choice((0o640, 0o660, 0o070, 0o007, 0o444, 0o111, 0o000, 0o2770, 0o1777, 0o604))
    os.chmod(path, mode)
    if rng.random() < 0.4:
        os.setxattr(path, acl.ATTRIBUTE, entries(rng, ids))


def make(rng: random.Random, base: str, ids: tuple[int, ...]) -> str:
    """A random path below `base`, relative to it; its parts are dressed from the inside out."""
    parts = [f"d{index}" for index in range(rng.randrange(4))]
    os.mkdir(base)
    os.chmod(base, 0o755)  # noqa: S103  # every process is to search it
    places = [base]
    for part in parts:
        places.append(f"{places[-1]}/{part}")
        os.mkdir(places[-1])
    target = f"{places[-1]}/target"
    kind = rng.choice(("file", "file", "file", "directory", "directory", "fifo", "device", "missing"))
    if kind == "file":
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    elif kind == "directory":
        os.mkdir(target)
    elif kind == "fifo":
        os.mkfifo(target)
    elif kind == "device":
        os.mknod(target, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    if kind != "missing":
        dress(rng, target, ids, easy=False)
    for place in places[:0:-1]:
        dress(rng, place, ids, easy=True)
    return "/".join((*parts, "target"))


def remount(path: str, flag: int) -> None:
    syscalls.mount("", path, "", syscalls.MS_BIND | syscalls.MS_REMOUNT | flag, "")


class Stage:
    """The directory with its areas: `plain`, the same bound with flags or mapped ids, and a file system of its own."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")
        os.chmod(directory, 0o755)  # noqa: S103  # every process is to search it
        for name in sorted({*AREAS}):
            os.mkdir(f"{directory}/{name}", 0o755)
        # One file system for all: ext4, xfs and tmpfs know lists and id-mapped mounts, and a tmpfs is there everywhere.
        syscalls.mount("tmpfs", f"{directory}/plain", "tmpfs", 0, "mode=755")
        syscalls.mount("tmpfs", f"{directory}/frozen", "tmpfs", 0, "mode=755")

    def close(self) -> None:
        """Make the areas of what is in `plain` now."""
        plain = f"{self.directory}/plain"
        for name, flag in (
            ("readonly", syscalls.MS_RDONLY), ("noexec", syscalls.MS_NOEXEC), ("nodev", syscalls.MS_NODEV),
        ):  # fmt: skip
            syscalls.mount(plain, f"{self.directory}/{name}", "", syscalls.MS_BIND, "")
            remount(f"{self.directory}/{name}", flag)
        holder = fork_mapped()
        try:
            syscalls.idmapped_bind(plain, f"{self.directory}/mapped", f"/proc/{holder}/ns/user")
        finally:
            os.kill(holder, signal.SIGKILL)
            os.waitpid(holder, 0)
        syscalls.mount("", f"{self.directory}/frozen", "", syscalls.MS_REMOUNT | syscalls.MS_RDONLY, "")

    def tree(self) -> walk.Tree:
        """As a container sees it: the host's root, and what is mapped, which stat(2) does not tell."""
        mapped = f"{self.directory}/mapped"
        return walk.Tree(walk.TreeMount("/", "/"), (
            walk.TreeMount(mapped, f"{self.directory}/plain", None, MountFlags(), DISK, "hostPath", "mapped"),
        ))  # fmt: skip


def fork_mapped() -> int:
    """A process in a user namespace of DISK's mapping, waiting to be killed."""
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ready)
            signal.alarm(SECONDS)
            syscalls.unshare(syscalls.CLONE_NEWUSER)
            os.write(told, b"u")
            os.close(told)
            signal.pause()
        finally:
            os._exit(1)
    os.close(told)
    assert os.read(ready, 1) == b"u"
    os.close(ready)
    write_maps(child)
    return child


def write_maps(child: int) -> None:
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w", encoding="ascii") as file:
            file.write("".join(f"{inside} {outside} {length}\n" for inside, outside, length in MAP))


def process(rng: random.Random, machine: int) -> ProcessState:
    """A random process; mostly without capabilities, and sometimes with another file-system id."""
    userns = rng.random() < 0.4
    ids = MAPPED_IDS if userns else HOST_IDS
    effective = 0
    if rng.random() < 0.4:
        effective = sum(BITS[name] for name in rng.sample(CAPABILITIES, rng.randrange(1, 4))) & machine
    uid, gid = rng.choice(ids), rng.choice(ids)
    odd = rng.random() < 0.15
    lines = MAP if userns else IDENTITY
    return ProcessState(
        uid=(uid, uid, uid, rng.choice(ids) if odd else uid),
        gid=(gid, gid, gid, rng.choice(ids) if odd else gid),
        groups=tuple(sorted(rng.sample(ids, rng.randrange(4)))),
        cap_inheritable=0, cap_permitted=effective, cap_effective=effective, cap_bounding=0, cap_ambient=0,
        no_new_privs=False, seccomp=0, uid_map=lines, gid_map=lines, root_readonly=False,
        mounts=(), masked=(), readonly_paths=(), host_namespaces=(), oom_score_adj=0,
    )  # fmt: skip


def become(state: ProcessState) -> None:
    """Turn this process into that one, whose user namespace it is in already."""
    userns = UserNamespace(state.uid_map, state.gid_map)

    def uid(host: int) -> int:
        return next(number for number in range(60000) if userns.host_uid(number) == host)

    def gid(host: int) -> int:
        return next(number for number in range(60000) if userns.host_gid(number) == host)

    os.setgroups([gid(number) for number in state.groups])
    os.setresgid(*(gid(number) for number in state.gid[:3]))
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    os.setresuid(*(uid(number) for number in state.uid[:3]))
    ids = BITS["CAP_SETUID"] | BITS["CAP_SETGID"]
    syscalls.capset(ids, ids | state.cap_permitted, 0)
    LIBC.setfsgid(gid(state.gid[3]))
    LIBC.setfsuid(uid(state.uid[3]))
    syscalls.capset(state.cap_effective, state.cap_permitted, 0)
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    assert [int(word) for word in fields["Uid"].split()] == [uid(number) for number in state.uid]
    assert [int(word) for word in fields["Gid"].split()] == [gid(number) for number in state.gid]
    assert int(fields["CapEff"], 16) == state.cap_effective


def name(number: int) -> str:
    """ENXIO is a FIFO without a reader: the permission was there."""
    return "" if number in (0, errno.ENXIO) else errno.errorcode[number]


def attempt_open(path: str, flags: int) -> str:
    try:
        os.close(os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        return name(error.errno or 0)
    return ""


def attempt_mkdir(path: str) -> str:
    try:
        os.mkdir(path)
        os.rmdir(path)
    except OSError as error:
        return name(error.errno or 0)
    return ""


def attempt_access(path: str, bits: int) -> str:
    words = (ctypes.c_long(FACCESSAT2), ctypes.c_long(-100), os.fsencode(path), ctypes.c_long(bits))
    return name(ctypes.get_errno() if LIBC.syscall(*words, ctypes.c_long(AT_EACCESS)) else 0)


def attempt(path: str, *, directory: bool, probe: str) -> dict[str, str]:
    """Everything that is tried with one path."""
    outcomes = {f"access {bits}": attempt_access(path, bits) for bits in range(1, 8)}
    outcomes["open r"] = attempt_open(path, os.O_RDONLY)
    if directory:
        outcomes["create"] = attempt_mkdir(f"{path}/{probe}")
    else:
        outcomes["open w"] = attempt_open(path, os.O_WRONLY)
        outcomes["open rw"] = attempt_open(path, os.O_RDWR)
    return outcomes


def try_all(state: ProcessState, targets: list[tuple[str, bool]]) -> list[dict[str, str]]:
    """Fork the process, let it try, and read what it says; it ends by itself, or by its alarm."""
    answers, told = os.pipe()
    ready, is_ready = os.pipe()
    go, may_go = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for end in (answers, ready, may_go):
                os.close(end)
            signal.alarm(SECONDS)
            if state.uid_map != IDENTITY:
                syscalls.unshare(syscalls.CLONE_NEWUSER)
            os.write(is_ready, b"r")
            os.read(go, 1)
            become(state)
            found = [attempt(path, directory=directory, probe="made") for path, directory in targets]
            with os.fdopen(told, "wb") as file:
                file.write(msgspec.json.encode(found))
            os._exit(0)
        except (OSError, AssertionError, StopIteration) as error:
            os.write(2, f"the process could not try: {error!r}\n".encode())
        finally:
            os._exit(1)  # whatever it was, this copy of the probe must not go on
    for end in (told, is_ready, go):
        os.close(end)
    if os.read(ready, 1) and state.uid_map != IDENTITY:
        write_maps(child)
    os.close(ready)
    os.close(may_go)
    with os.fdopen(answers, "rb") as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"a process ended with {os.waitstatus_to_exitcode(status)}")
    return msgspec.json.decode(said, type=list[dict[str, str]])


def main(seed: str, processes: int, files: int, directory: str) -> None:
    rng = random.Random(seed)  # noqa: S311  # which cases are tried is no secret
    os.umask(0)
    machine = acl_machine()
    stage = Stage(directory)
    plan: list[tuple[ProcessState, list[tuple[str, str]]]] = []
    for number in range(processes):
        state = process(rng, machine)
        targets = []
        for index in range(files):
            area = rng.choice(AREAS)
            base = f"{number}-{index}"
            # What is mapped lies on disk with small ids: 50000 is 1000 outside, 60000 nobody.
            ids = (0, 1000, 50000, 50001, 60000) if area == "mapped" else (*HOST_IDS, *MAPPED_IDS, 5000)
            room = "frozen" if area == "frozen" else "plain"
            target = make(rng, f"{directory}/{room}/{base}", ids)
            targets.append((area, f"{directory}/{area}/{base}/{target}"))
        plan.append((state, targets))
    stage.close()
    tree = stage.tree()
    encoder = msgspec.json.Encoder()
    for number, (state, targets) in enumerate(plan):
        chains = [walk.walk(tree, path) for _, path in targets]
        outcomes = try_all(
            state, [(path, chain[-1].directory) for (_, path), chain in zip(targets, chains, strict=True)]
        )
        for (area, _), chain, seen in zip(targets, chains, outcomes, strict=True):
            tried = Tried(f"{seed}/{number}", area, state, chain, seen)
            sys.stdout.buffer.write(encoder.encode(tried) + b"\n")


def acl_machine() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1], 16) for line in file if line.startswith("CapEff"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
