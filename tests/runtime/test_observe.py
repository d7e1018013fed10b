"""Real containers of crun and runc: what was predicted is what the kernel says at the moment of execve."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from proofs import examples

from podward.api import capability as capability_names
from podward.api.node import Node
from podward.api.oci import (
    CapabilitySets,
    Linux,
    LinuxIDMapping,
    Mount,
    Namespace,
    Process,
    Root,
    RuntimeSpec,
    Seccomp,
    SeccompRule,
    User,
)
from podward.api.process import ProcessState
from podward.decision import Decision
from podward.errors import NodeError, RuntimeFailedError
from podward.runtime import device_list, entry, mount_namespace, observe, proc, syscalls
from podward.stages import kernel

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox")
RUNTIMES = ("crun", "runc")
DEFAULT = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
)
MASKED = ("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware")
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
SAFE = ("nosuid", "noexec", "nodev")
PROC = Mount("/proc", "proc", "proc", SAFE)
DEV = Mount("/dev", "tmpfs", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k"))
SYS = Mount("/sys", "sysfs", "sysfs", (*SAFE, "ro"))
CGROUP = Mount("/sys/fs/cgroup", "cgroup", "cgroup", (*SAFE, "relatime", "ro"))
STANDARD = (
    PROC,
    DEV,
    Mount("/dev/pts", "devpts", "devpts", ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")),
    Mount("/dev/shm", "tmpfs", "shm", (*SAFE, "mode=1777", "size=65536k")),  # noqa: S108  # the container's
    Mount("/dev/mqueue", "mqueue", "mqueue", SAFE),
    SYS,
    CGROUP,
)
OWN = ("pid", "network", "ipc", "uts", "mount")
MAPPING = (LinuxIDMapping(0, 65536, 65536),)
FILTER = Seccomp("SCMP_ACT_ALLOW", syscalls=(SeccompRule(("swapon",), "SCMP_ACT_ERRNO"),))


class Result(Struct, frozen=True):
    """What a container was predicted to be, and was; `refusals` and `failure` where it was not to run, and did not."""

    predicted: ProcessState | None = None
    observed: ProcessState | None = None
    refusals: tuple[str, ...] = ()
    failure: str = ""
    output: str = ""


def same(names: tuple[str, ...]) -> CapabilitySets:
    return CapabilitySets(names, names, names)


def make_spec(  # noqa: PLR0913  # a spec has these parts
    rootfs: str,
    *,
    process: Process | None = None,
    mounts: tuple[Mount, ...] = STANDARD,
    linux: Linux | None = None,
    own: tuple[str, ...] = OWN,
    readonly: bool = False,
) -> RuntimeSpec:
    linux = linux or Linux()
    return RuntimeSpec(
        oci_version="1.0.2",
        process=process or ordinary(),
        root=Root(rootfs, readonly),
        mounts=mounts,
        linux=msgspec.structs.replace(linux, namespaces=tuple(Namespace(kind) for kind in own)),
    )


def ordinary(
    uid: int = 0,
    gid: int = 0,
    groups: tuple[int, ...] = (),
    args: tuple[str, ...] = ("true",),
    sets: CapabilitySets | None = None,
    **more: object,
) -> Process:
    plain = Process(
        args=args, cwd="/", env=("PATH=/bin",), user=User(uid, gid, groups), capabilities=sets or same(DEFAULT)
    )
    return msgspec.structs.replace(plain, **more)


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """A directory with a root file system, `rootfs`, and a source for volumes, `volume`."""
    directory = tempfile.mkdtemp(prefix="podward-observe-")
    os.chmod(directory, 0o755)  # noqa: S103  # a container's user searches it
    root = f"{directory}/rootfs"
    for name in ("bin", "proc", "sys", "dev", "etc", "vol", "data", "run"):
        os.makedirs(f"{root}/{name}")
    os.symlink("/run", f"{root}/var")
    busybox = shutil.which("busybox") or ""
    for name in ("sh", "true", "sleep"):
        shutil.copyfile(busybox, f"{root}/bin/{name}")
        os.chmod(f"{root}/bin/{name}", 0o755)  # noqa: S103
    for name, mode, owner, group in (
        ("suid", 0o4755, 0, 0),
        ("sgid", 0o2755, 0, 2000),
        ("both", 0o6755, 1001, 2000),
        ("mine", 0o6755, 65536 + 7, 65536 + 8),
        ("private", 0o700, 0, 0),
        ("capable", 0o755, 0, 0),
        ("ranged", 0o755, 0, 0),
        ("greedy", 0o755, 0, 0),
    ):
        shutil.copyfile(busybox, f"{root}/bin/{name}")
        os.chown(f"{root}/bin/{name}", owner, group)
        os.chmod(f"{root}/bin/{name}", mode)
    chown, syslog = 1, capability_names.BITS["CAP_SYSLOG"]
    os.setxattr(f"{root}/bin/capable", "security.capability", struct.pack("<5I", 0x02000001, chown, 0, 0, 0))
    os.setxattr(f"{root}/bin/ranged", "security.capability", struct.pack("<6I", 0x03000001, chown, 0, 0, 0, 65536))
    os.setxattr(f"{root}/bin/greedy", "security.capability", struct.pack("<5I", 0x02000001, 0, 0, syslog >> 32, 0))
    for name, line in (("script", "#!/bin/suid"), ("orphan", "#!/bin/none"), ("text", "hello")):
        with open(f"{root}/bin/{name}", "w", encoding="ascii") as file:
            file.write(line + "\n")
        os.chmod(f"{root}/bin/{name}", 0o755)  # noqa: S103
    for number in range(len(OPTIONS)):
        os.mkdir(f"{root}/data/{number}")
    os.mkdir(f"{directory}/volume")
    yield directory
    shutil.rmtree(directory)


def in_child(work: Callable[[], Result]) -> Result:
    """Do `work` in a forked process with a private mount namespace, where crun finds no hybrid cgroups."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            mount_namespace.enter(os.path.ismount(mount_namespace.UNIFIED))
            result = work()
        except BaseException as error:  # noqa: BLE001  # a forked child must not unwind into pytest's frames
            result = Result(failure=f"{type(error).__name__}: {error}")
        os.write(write, msgspec.json.encode(result))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        answer = file.read()
    os.waitpid(child, 0)
    return msgspec.json.decode(answer, type=Result)


class Container:
    """A created container of a runtime, in the current mount namespace."""

    def __init__(self, runtime: str, place: str, spec: RuntimeSpec) -> None:
        self.name = f"podward-test-{uuid.uuid4().hex[:12]}"
        self.bundle = tempfile.mkdtemp(dir=place)
        self.base = (runtime, "--root", f"{self.bundle}/state", "--log", f"{self.bundle}/log")
        with open(f"{self.bundle}/config.json", "wb") as file:
            file.write(msgspec.json.encode(spec))
        done = self.call("create", "--bundle", self.bundle, "--pid-file", f"{self.bundle}/pid", self.name)
        self.error = "" if done == 0 else self.log()
        if done:
            self.pid = 0
            return
        with open(f"{self.bundle}/pid", encoding="ascii") as file:
            self.pid = int(file.read())

    def call(self, *words: str) -> int:
        with open(f"{self.bundle}/out", "ab") as out:
            return subprocess.run(
                (*self.base, *words), stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
            ).returncode

    def log(self) -> str:
        text = ""
        for name in ("log", "out"):
            if os.path.exists(f"{self.bundle}/{name}"):
                with open(f"{self.bundle}/{name}", encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def remove(self) -> None:
        self.call("delete", "--force", self.name)
        shutil.rmtree(self.bundle)


def facts(runtime: str, spec: RuntimeSpec) -> kernel.KernelFacts:
    mounts = tuple((m.destination, m.source if os.path.isabs(m.source) else "") for m in spec.mounts)
    existing = frozenset(path for path in (*MASKED, *READONLY) if os.path.lexists(path))
    return kernel.KernelFacts(
        spec,
        Node(proc.machine_capabilities(), runtime, special_paths=existing, kernel=os.uname().release),
        kernel.ExecutionFacts(
            entry.find_entry(spec.root.path, spec.process.args[0], "/bin", spec.process.cwd, mounts),
            proc.source_flags(spec, spec.root.path),
            cgroup_v2=proc.cgroup_v2(),
            inherited=proc.inherited(),
        ),
        Decision(),
    )


def refused(runtime: str, spec: RuntimeSpec) -> tuple[str, ...]:
    """Why it is predicted not to start."""
    return tuple(violation.reason for violation in kernel.decide(facts(runtime, spec)).violations)


def run(runtime: str, place: str, spec: RuntimeSpec, prepare: Callable[[], None] = lambda: None) -> Result:
    """Predict; create, start and observe; the two states, or the two reasons why there is none."""

    def work() -> Result:
        prepare()
        decision = kernel.decide(facts(runtime, spec))
        refusals = tuple(violation.reason for violation in decision.violations)
        container = Container(runtime, place, spec)
        try:
            if container.error:
                return Result(refusals=refusals, failure=container.error)
            devices = device_list.open_devices(container.pid, place)
            with observe.stop_at_exec(container.pid) as held:
                started = container.call("start", container.name)
                try:
                    held.wait(10)
                except RuntimeFailedError:
                    # runc reports a failed execve in the container's own output, crun in its log.
                    return Result(refusals=refusals, failure=container.log() or f"start gave {started}")
                observed = held.state(spec, devices)
            _, status = os.waitpid(container.pid, 0)
            ended = str(os.waitstatus_to_exitcode(status))
            return Result(decision.fold(ProcessState), observed, refusals, output=ended)
        finally:
            container.remove()

    return in_child(work)


def agrees(result: Result) -> ProcessState:
    assert not result.failure, result
    assert result.refusals == ()
    assert result.predicted is not None
    assert result.predicted == result.observed
    return result.predicted


def user_namespace(**more: object) -> Linux:
    return msgspec.structs.replace(Linux(uid_mappings=MAPPING, gid_mappings=MAPPING), **more)


def privileged() -> CapabilitySets:
    return same(capability_names.names(proc.machine_capabilities()))


WRITABLE = (
    PROC,
    DEV,
    Mount("/sys", "sysfs", "sysfs", SAFE),
    Mount("/sys/fs/cgroup", "cgroup", "cgroup", (*SAFE, "rw")),
)
HELD = ("CAP_CHOWN", "CAP_KILL")
AMBIENT = CapabilitySets(DEFAULT, HELD, HELD, HELD, HELD)
CASES: dict[str, Callable[[str], RuntimeSpec]] = {
    "plain": make_spec,
    "a user with groups twice": lambda root: make_spec(root, process=ordinary(1000, 1001, (7, 5, 5, 1001))),
    "no capabilities": lambda root: make_spec(root, process=ordinary(sets=CapabilitySets())),
    "ambient": lambda root: make_spec(root, process=ordinary(1000, sets=AMBIENT)),
    "no new privileges": lambda root: make_spec(
        root, process=ordinary(sets=CapabilitySets(DEFAULT, HELD, HELD), no_new_privileges=True)
    ),
    "privileged": lambda root: make_spec(root, process=ordinary(sets=privileged()), mounts=WRITABLE),
    "user namespace": lambda root: make_spec(
        root, process=ordinary(1000, 1000, (5,)), linux=user_namespace(), own=(*OWN, "user")
    ),
    "user namespace, every capability": lambda root: make_spec(
        root, process=ordinary(sets=same(capability_names.NAMES)), linux=user_namespace(), own=(*OWN, "user")
    ),
    "read-only root": lambda root: make_spec(root, readonly=True),
    "masks": lambda root: make_spec(root, linux=Linux(masked_paths=MASKED, readonly_paths=READONLY)),
    "masks, user namespace": lambda root: make_spec(
        root, linux=user_namespace(masked_paths=MASKED, readonly_paths=READONLY), own=(*OWN, "user")
    ),
    "a mask that is read-only too": lambda root: make_spec(
        root, linux=Linux(masked_paths=("/proc/keys",), readonly_paths=("/proc/keys",))
    ),
    "seccomp": lambda root: make_spec(root, linux=Linux(seccomp=FILTER), process=ordinary(1000)),
    "seccomp, no new privileges": lambda root: make_spec(
        root, linux=Linux(seccomp=FILTER), process=ordinary(1000, no_new_privileges=True)
    ),
    "host network, pid and ipc": lambda root: make_spec(root, own=("uts", "mount", "cgroup")),
    "oom score": lambda root: make_spec(root, process=ordinary(oom_score_adj=500)),
    "set-user-ID": lambda root: make_spec(root, process=ordinary(1000, 1000, args=("suid",))),
    "set-user-ID, no new privileges": lambda root: make_spec(
        root, process=ordinary(1000, 1000, args=("suid",), no_new_privileges=True)
    ),
    "set-group-ID": lambda root: make_spec(root, process=ordinary(1000, 1000, args=("sgid",), sets=AMBIENT)),
    "set-group-ID of an own group": lambda root: make_spec(
        root, process=ordinary(1000, 1000, (2000,), args=("sgid",), sets=AMBIENT)
    ),
    "both, to another user": lambda root: make_spec(root, process=ordinary(args=("both",))),
    "set-user-ID root of the host, user namespace": lambda root: make_spec(
        root, process=ordinary(1000, args=("suid",)), linux=user_namespace(), own=(*OWN, "user")
    ),
    "set-user-ID of the range, user namespace": lambda root: make_spec(
        root, process=ordinary(1000, args=("mine",)), linux=user_namespace(), own=(*OWN, "user")
    ),
    "file capabilities": lambda root: make_spec(root, process=ordinary(1000, args=("capable",))),
    "file capabilities, user namespace": lambda root: make_spec(
        root, process=ordinary(1000, args=("capable",)), linux=user_namespace(), own=(*OWN, "user")
    ),
    "file capabilities of the range": lambda root: make_spec(
        root, process=ordinary(1000, args=("ranged",)), linux=user_namespace(), own=(*OWN, "user")
    ),
    "file capabilities of another range": lambda root: make_spec(root, process=ordinary(1000, args=("ranged",))),
    "a script of a set-user-ID interpreter": lambda root: make_spec(root, process=ordinary(1000, args=("script",))),
    "a private file, with CAP_DAC_OVERRIDE": lambda root: make_spec(root, process=ordinary(1000, args=("private",))),
    "mounts that hide others": lambda root: make_spec(
        root,
        mounts=(
            *STANDARD,
            Mount("/vol/a", "tmpfs", "tmpfs", ("noexec",)),
            Mount("/vol", "tmpfs", "tmpfs", ("nosuid",)),
            Mount("/data/", "tmpfs", "tmpfs", ("nodev", "ro")),
            Mount("/run/bin", "tmpfs", "tmpfs", ("noexec",)),
            Mount("/run", "bind", root, ("rbind",)),
        ),
    ),
    "a mount behind a link": lambda root: make_spec(
        root, mounts=(*STANDARD, Mount("/var/secrets", "tmpfs", "tmpfs", ("noexec", "ro")))
    ),
}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("case", CASES)
def test_the_kernel_agrees(runtime: str, case: str, place: str) -> None:
    agrees(run(runtime, place, CASES[case](f"{place}/rootfs")))


REFUSED: dict[str, tuple[Callable[[str], RuntimeSpec], str, str]] = {
    "no such file": (lambda root: make_spec(root, process=ordinary(args=("none",))), "ENOENT", "not found"),
    "a private file": (
        lambda root: make_spec(root, process=ordinary(1000, args=("private",), sets=CapabilitySets())),
        "EACCES",
        "ermission denied",
    ),
    "a private file of the host, user namespace": (
        lambda root: make_spec(
            root, process=ordinary(1000, args=("/bin/private",)), linux=user_namespace(), own=(*OWN, "user")
        ),
        "EACCES",
        "ermission denied",
    ),
    "a directory": (lambda root: make_spec(root, process=ordinary(args=("/bin",))), "EACCES", "denied|not permitted"),
    "no interpreter": (lambda root: make_spec(root, process=ordinary(args=("orphan",))), "ENOENT", "o such file"),
    "text": (lambda root: make_spec(root, process=ordinary(args=("text",))), "ENOEXEC", "xec format error"),
    "greedy file capabilities": (
        lambda root: make_spec(root, process=ordinary(args=("greedy",))),
        "EPERM",
        "peration not permitted",
    ),
    "a capability that the machine lacks": (
        lambda root: make_spec(root, process=ordinary(sets=same(("CAP_CHOWN", "CAP_SYS_RESOURCE")))),
        "CAP_SYS_RESOURCE",
        "not permitted",
    ),
    "effective without permitted": (
        lambda root: make_spec(root, process=ordinary(sets=CapabilitySets(DEFAULT, DEFAULT, HELD))),
        "effective",
        "not permitted",
    ),
    "inheritable without bounding": (
        lambda root: make_spec(root, process=ordinary(sets=CapabilitySets(HELD, HELD, HELD, DEFAULT))),
        "inheritable",
        "not permitted",
    ),
    "an unmapped user": (
        lambda root: make_spec(root, process=ordinary(70000), linux=user_namespace(), own=(*OWN, "user")),
        "70000",
        "nvalid argument|unmapped",
    ),
    "an unmapped group": (
        lambda root: make_spec(root, process=ordinary(groups=(70000,)), linux=user_namespace(), own=(*OWN, "user")),
        "70000",
        "nvalid argument",
    ),
    "an oom score that is none": (
        lambda root: make_spec(root, process=ordinary(oom_score_adj=1001)),
        "between -1000 and 1000",
        "nvalid argument",
    ),
    "noexec": (
        lambda root: make_spec(
            root,
            process=ordinary(args=("/vol/sleep",)),
            mounts=(*STANDARD, Mount("/vol", "bind", f"{root}/bin", ("rbind", "noexec"))),
        ),
        "noexec",
        "ermission denied",
    ),
}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_fails(runtime: str, case: str, place: str) -> None:
    build, why, said = REFUSED[case]
    if case == "a capability that the machine lacks" and proc.machine_capabilities() == capability_names.FULL:
        return  # here root lacks nothing, so there is nothing to refuse
    result = run(runtime, place, build(f"{place}/rootfs"))
    assert result.observed is None
    assert why in " ".join(result.refusals)
    assert any(word in result.failure for word in said.split("|")), result.failure


OPTIONS = (
    ("rbind",),
    ("rbind", "rw"),
    ("bind", "ro"),
    ("rbind", "ro", "rw"),
    ("rbind", "nosuid"),
    ("rbind", "ro", "nosuid", "nodev", "noexec"),
    ("rbind", "suid", "dev", "exec"),
    ("rbind", "rro"),
    ("rbind", "rprivate", "noatime"),
)
SOURCES = ("", "nosuid,nodev", "noexec", "ro", "nosuid,nodev,noexec,ro")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("own", [OWN, (*OWN, "user")], ids=["host users", "user namespace"])
@pytest.mark.parametrize("flags", SOURCES)
def test_bind_mounts_have_the_flags_that_were_predicted(
    runtime: str, own: tuple[str, ...], flags: str, place: str
) -> None:
    linux = user_namespace() if "user" in own else Linux()
    volume = f"{place}/volume"

    def prepare() -> None:
        syscalls.mount("tmpfs", volume, "tmpfs", 0, "mode=755")
        numbers = {"ro": syscalls.MS_RDONLY, "nosuid": syscalls.MS_NOSUID, "nodev": syscalls.MS_NODEV, "noexec": 8}
        asked = sum(numbers[flag] for flag in flags.split(",") if flag)
        syscalls.mount("", volume, "", syscalls.MS_REMOUNT | syscalls.MS_BIND | asked, "")

    def spec(*mounts: Mount) -> RuntimeSpec:
        return make_spec(f"{place}/rootfs", mounts=(*STANDARD, *mounts), linux=linux, own=own)

    def foreseen() -> Result:
        prepare()
        return Result(refusals=tuple(each.destination for each in mounts if refused(runtime, spec(each))))

    mounts = [
        Mount(f"/data/{number}", "bind", volume, options)
        for number, options in enumerate(OPTIONS)
        # How access times are kept is locked too, and no part of the state.
        if "noatime" not in options or "user" not in own
    ]
    alone = in_child(foreseen)
    assert not alone.failure, alone
    for mount in (each for each in mounts if each.destination in alone.refusals):
        result = run(runtime, place, spec(mount), prepare)
        assert "locked in a user namespace" in " ".join(result.refusals), (mount, result)
        assert "not permitted" in result.failure
    together = [each for each in mounts if each.destination not in alone.refusals]
    state = agrees(run(runtime, place, spec(*together), prepare))
    assert {each.destination for each in together} <= {each.destination for each in state.mounts}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("own", [OWN, (*OWN, "user")], ids=["host users", "user namespace"])
@pytest.mark.parametrize("mode", ["read-only", "writable"])
def test_the_roots_own_flags_count_for_the_entry(runtime: str, own: tuple[str, ...], mode: str, place: str) -> None:
    linux = user_namespace() if "user" in own else Linux()
    root = f"{place}/volume"

    def prepare() -> None:
        syscalls.mount(f"{place}/rootfs", root, "", syscalls.MS_BIND, "")
        syscalls.mount("", root, "", syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_NOSUID, "")

    spec = make_spec(
        root, process=ordinary(1000, args=("capable",)), linux=linux, own=own, readonly=mode == "read-only"
    )
    agrees(run(runtime, place, spec, prepare))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("options", [(*SAFE, "ro"), (*SAFE, "rw"), ("ro",)])
@pytest.mark.parametrize("own", [OWN, (*OWN, "cgroup"), (*OWN, "cgroup", "user")], ids=["host", "own", "user"])
def test_cgroup_version_2_has_the_flags_that_were_predicted(
    runtime: str, options: tuple[str, ...], own: tuple[str, ...], place: str
) -> None:
    linux = user_namespace() if "user" in own else Linux()

    def prepare() -> None:
        syscalls.umount2("/sys/fs/cgroup", syscalls.MNT_DETACH)
        syscalls.mount("none", "/sys/fs/cgroup", "cgroup2", 0, "")

    mounts = (*STANDARD[:-1], msgspec.structs.replace(CGROUP, options=options))
    spec = make_spec(f"{place}/rootfs", mounts=mounts, linux=linux, own=own)
    agrees(run(runtime, place, spec, prepare))


ENTRIES = ("true", "suid", "sgid", "both", "mine", "private", "capable", "ranged", "greedy", "script", "orphan", "text")


@st.composite
def specs(draw: st.DrawFn) -> Callable[[str], RuntimeSpec]:
    names = st.lists(st.sampled_from(DEFAULT), unique=True).map(tuple)
    bounding = draw(st.sampled_from((DEFAULT, HELD, ())))
    permitted = tuple(name for name in draw(names) if name in bounding)
    inheritable = tuple(name for name in draw(names) if name in bounding)
    sets = CapabilitySets(
        bounding, tuple(n for n in draw(names) if n in permitted), permitted, inheritable, draw(names)
    )
    own = (*OWN, "user") if draw(st.booleans()) else OWN
    own = (*own, "cgroup") if draw(st.booleans()) else own
    ids = st.sampled_from((0, 7, 1000, 1001, 2000))
    process = ordinary(
        draw(ids),
        draw(ids),
        tuple(draw(st.lists(ids, max_size=3))),
        args=(draw(st.sampled_from(ENTRIES)),),
        sets=sets,
        no_new_privileges=draw(st.booleans()),
        oom_score_adj=draw(st.sampled_from((None, 0, 700))),
    )
    linux = Linux(
        seccomp=draw(st.sampled_from((None, FILTER))),
        masked_paths=draw(st.sampled_from(((), MASKED))),
        readonly_paths=draw(st.sampled_from(((), READONLY))),
    )
    if "user" in own:
        linux = msgspec.structs.replace(linux, uid_mappings=MAPPING, gid_mappings=MAPPING)
    mounts = STANDARD if draw(st.booleans()) else WRITABLE
    readonly = draw(st.booleans())
    return lambda root: make_spec(root, process=process, mounts=mounts, linux=linux, own=own, readonly=readonly)


@pytest.mark.proof
@pytest.mark.parametrize("runtime", RUNTIMES)
@settings(max_examples=examples(6, 15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(build=specs())
def test_the_kernel_agrees_about_random_specs(runtime: str, build: Callable[[str], RuntimeSpec], place: str) -> None:
    result = run(runtime, place, build(f"{place}/rootfs"))
    if result.failure or result.refusals:
        assert result.failure, result
        assert result.refusals, result
    else:
        agrees(result)


def test_a_container_that_is_let_go_before_its_start_is_as_before(place: str) -> None:
    def work() -> Result:
        container = Container("crun", place, make_spec(f"{place}/rootfs"))
        try:
            with observe.stop_at_exec(container.pid):
                pass
            status = proc.parse_status(proc._text(f"/proc/{container.pid}/status"))  # noqa: SLF001
            assert status["TracerPid"] == "0"
            assert container.call("start", container.name) == 0
            _, code = os.waitpid(container.pid, 0)
            return Result(output=str(os.waitstatus_to_exitcode(code)))
        finally:
            container.remove()

    assert in_child(work) == Result(output="0")


def test_a_container_runs_on_if_its_observer_is_killed(place: str) -> None:
    def work() -> Result:
        spec = make_spec(f"{place}/rootfs", process=ordinary(args=("sleep", "0.2")))
        container = Container("runc", place, spec)
        read, write = os.pipe()
        observer = os.fork()
        if observer == 0:
            held = observe.stop_at_exec(container.pid)
            os.write(write, b"s")
            held.wait(10)
            os.write(write, b"e")
            time.sleep(60)
            os._exit(1)
        try:
            os.read(read, 1)
            container.call("start", container.name)
            os.read(read, 1)
            stopped = proc.parse_status(proc._text(f"/proc/{container.pid}/status"))["State"]  # noqa: SLF001
            os.kill(observer, signal.SIGKILL)
            os.waitpid(observer, 0)
            _, code = os.waitpid(container.pid, 0)
            return Result(output=f"{stopped[0]}{os.waitstatus_to_exitcode(code)}")
        finally:
            container.remove()

    assert in_child(work) == Result(output="t0")


def test_a_signal_reaches_an_observed_process_and_its_status_is_left_to_its_parent() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    with observe.stop_at_exec(child) as held:
        os.kill(child, signal.SIGTERM)
        with pytest.raises(RuntimeFailedError, match="ended"):
            held.wait(10)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


def test_an_observed_process_is_stopped_and_continued_as_any_other() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    with observe.stop_at_exec(child) as held:
        os.kill(child, signal.SIGSTOP)
        time.sleep(0.02)
        os.kill(child, signal.SIGCONT)
        time.sleep(0.02)
        os.kill(child, signal.SIGTERM)
        with pytest.raises(RuntimeFailedError, match="ended"):
            held.wait(10)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


def _sleeps(pid: int) -> bool:
    """Whether the process waits again for a signal, as it did: for a moment after it was let go it is awake."""
    for _ in range(500):
        if proc.parse_status(proc._text(f"/proc/{pid}/status"))["State"][0] == "S":  # noqa: SLF001
            return True
        time.sleep(0.01)
    return False


def test_a_process_that_executes_nothing_is_given_up_and_runs_on() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        with observe.stop_at_exec(child) as held, pytest.raises(RuntimeFailedError, match="in time"):
            held.wait(0.05)
        assert _sleeps(child)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_process_that_is_gone_is_an_error_of_the_node() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(NodeError, match="observe"):
        observe.stop_at_exec(child)
