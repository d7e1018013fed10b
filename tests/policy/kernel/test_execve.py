"""The rule of execve against the kernel itself: random credentials and files, predicted and read back."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from proofs import examples

from podward.api.capability import BITS, FULL, mask
from podward.api.image import EntryFile, FileCapabilities
from podward.api.oci import Process, Root, RuntimeSpec
from podward.decision import Decision
from podward.policy.kernel import entry_file, execve
from podward.policy.kernel.credentials import Credentials
from podward.policy.kernel.mounts import ContainerMounts
from podward.policy.kernel.sources import Sources
from podward.policy.kernel.user_namespace import UserNamespace
from podward.runtime import entry, proc, syscalls

pytestmark = pytest.mark.needs("root")
SPEC = RuntimeSpec(oci_version="1.0.2", process=Process(args=("/entry",), cwd="/"), root=Root())
FEW = mask(("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_SETGID", "CAP_NET_RAW", "CAP_SYS_ADMIN"))
KERNEL = os.uname().release
MAP = ((0, 100000, 50000), (50000, 1000, 2))


class After(Struct, frozen=True):
    """What the kernel says of the process, or the errno of its execve."""

    uid: tuple[int, int, int, int] = (0, 0, 0, 0)
    gid: tuple[int, int, int, int] = (0, 0, 0, 0)
    cap_inheritable: int = 0
    cap_permitted: int = 0
    cap_effective: int = 0
    cap_bounding: int = 0
    cap_ambient: int = 0
    error: int = 0


class Case(Struct, frozen=True):
    """A process before execve, and the file that it executes."""

    before: Credentials
    mode: int
    owner: int
    group: int
    attribute: bytes
    nosuid: bool
    script: bool
    userns: bool


def attribute(permitted: int, inheritable: int, *, effective: bool, root: int | None) -> bytes:
    magic = (0x02000000 if root is None else 0x03000000) | effective
    low = 0xFFFFFFFF
    words = [magic, permitted & low, inheritable & low, permitted >> 32, inheritable >> 32]
    return struct.pack(f"<{len(words) + (root is not None)}I", *words, *(() if root is None else (root,)))


def masks(within: int) -> st.SearchStrategy[int]:
    return st.one_of(
        st.sampled_from((0, within, within & FEW)), st.integers(0, FULL).map(lambda bits: bits & within & (FEW | 0x1F))
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    userns = draw(st.booleans())
    bounding = draw(masks(FULL if userns else proc.machine_capabilities()))
    permitted = draw(masks(bounding))
    inheritable = draw(masks(bounding))
    ids = (100000, 101000, 1000, 1001) if userns else (0, 1000, 1001)
    owners = (*ids, 0, 5000)
    capable = draw(st.booleans())
    value = attribute(
        draw(masks(bounding) if draw(st.booleans()) else masks(FULL)),
        draw(masks(FULL)),
        effective=draw(st.booleans()),
        root=draw(st.sampled_from((None, 0, 100000, 7))),
    )
    return Case(
        Credentials(
            uid=draw(st.sampled_from(ids)),
            gid=draw(st.sampled_from(ids)),
            groups=tuple(sorted(draw(st.lists(st.sampled_from(ids), max_size=2)))),
            cap_inheritable=inheritable,
            cap_permitted=permitted,
            cap_effective=draw(masks(permitted)),
            cap_bounding=bounding,
            cap_ambient=draw(masks(permitted & inheritable)),
            no_new_privs=draw(st.booleans()),
        ),
        mode=draw(st.sampled_from((0o755, 0o4755, 0o2755, 0o6755, 0o2745, 0o700, 0o4711, 0o6750, 0o644))),
        owner=draw(st.sampled_from(owners)),
        group=draw(st.sampled_from(owners)),
        attribute=value if capable else b"",
        nosuid=draw(st.integers(0, 4)) == 0,
        script=draw(st.integers(0, 3)) == 0,
        userns=userns,
    )


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """A directory that every user may search, unlike pytest's own."""
    directory = tempfile.mkdtemp(prefix="podward-execve-")
    os.chmod(directory, 0o755)  # noqa: S103  # every user is to search it
    yield directory
    shutil.rmtree(directory)


def make_files(case: Case, place: str) -> str:
    """The program (a copy of cat, which never touches its own credentials) and the file to execute."""
    program = f"{place}/cat"
    shutil.copyfile(shutil.which("cat") or "", program)
    os.chown(program, case.owner, case.group)
    os.chmod(program, case.mode)
    if case.attribute:
        os.setxattr(program, "security.capability", case.attribute)
    if not case.script:
        return program
    script = f"{place}/script"
    with open(script, "w", encoding="ascii") as file:
        file.write(f"#!{program}\nhello\n")
    # Its set-ID bits must count for nothing.
    os.chown(script, 1001, 1001)
    os.chmod(script, 0o6755)  # noqa: S103  # that is what is tried
    return script


def execute(case: Case, file: str, place: str) -> After:
    """Fork, become what `case` says, execute the file, and read its /proc/self/status."""
    output, output_end = os.pipe()
    ready, ready_end = os.pipe()
    go, go_end = os.pipe()
    child = os.fork()
    if child == 0:
        become_and_execute(case, file, place, (output_end, ready_end, go))
    for end in (output_end, ready_end, go):
        os.close(end)
    if case.userns and os.read(ready, 1):
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{name}", "w", encoding="ascii") as opened:
                opened.write("".join(f"{inside} {outside} {length}\n" for inside, outside, length in MAP))
        os.write(go_end, b"m")
    for end in (ready, go_end):
        os.close(end)
    with os.fdopen(output, "rb") as opened:
        text = opened.read().decode()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        assert not text.startswith("!"), text
        return After(error=code)
    fields = proc.parse_status(text.removeprefix(f"#!{place}/cat\nhello\n"))
    ids = [tuple(int(word) for word in fields[name].split()) for name in ("Uid", "Gid")]
    if case.userns:  # the process itself reads ids of its own namespace
        uids = UserNamespace(MAP, MAP)
        ids = [tuple(uids.host_uid(number) if number != 65534 else -1 for number in four) for four in ids]  # type: ignore[misc]  # only mapped ids occur
    return msgspec.convert(
        {
            "uid": ids[0],
            "gid": ids[1],
            **{
                f"cap_{name}": int(fields[f"Cap{short}"], 16)
                for name, short in (
                    ("inheritable", "Inh"),
                    ("permitted", "Prm"),
                    ("effective", "Eff"),
                    ("bounding", "Bnd"),
                    ("ambient", "Amb"),
                )
            },
        },
        After,
    )


def become_and_execute(case: Case, file: str, place: str, ends: tuple[int, int, int]) -> None:
    """In the child: never returns."""
    output, ready_end, go = ends
    try:
        if case.nosuid:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")
            syscalls.mount(place, place, "", syscalls.MS_BIND, "")
            syscalls.mount("", place, "", syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_NOSUID, "")
        if case.userns:
            syscalls.unshare(syscalls.CLONE_NEWUSER)
            os.write(ready_end, b"u")
            os.read(go, 1)
        set_credentials(case)
        os.dup2(output, 1)
        os.execve(file, [file, "/proc/self/status"], {})  # noqa: S606  # no shell is meant
    except OSError as error:
        if error.filename != file:
            os.write(output, f"!{error}".encode())
        os._exit(error.errno or 1)
    finally:
        os._exit(250)


def set_credentials(case: Case) -> None:
    """As a runtime does it."""
    before = case.before

    def inside(host: int) -> int:
        if not case.userns:
            return host
        return next(first + host - outside for first, outside, length in MAP if outside <= host < outside + length)

    os.setgroups([inside(gid) for gid in before.groups])
    os.setresgid(*(inside(before.gid),) * 3)
    for number in range(FULL.bit_length()):
        if not before.cap_bounding >> number & 1 and syscalls.prctl(syscalls.PR_CAPBSET_READ, number):
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, number)
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    os.setresuid(*(inside(before.uid),) * 3)
    # First all that is needed for the rest, then what is asked.
    syscalls.capset(before.cap_effective, before.cap_permitted, before.cap_inheritable)
    for number in range(FULL.bit_length()):
        if before.cap_ambient >> number & 1:
            syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_RAISE, number)
    if before.no_new_privs:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)


def predict(case: Case, file: str) -> After:
    """The prediction, from the file as it was found."""
    found = entry.find_entry("/", file, "", "/")
    assert found is not None
    userns = UserNamespace(MAP, MAP) if case.userns else UserNamespace()
    mounts = ContainerMounts((), frozenset(("nosuid",) if case.nosuid else ()))
    facts = execve.facts_of(found, mounts, userns, KERNEL)
    refused = entry_file.decide(SPEC, found, case.before, userns, mounts)
    decision = execve.decide(case.before, facts, Sources(Decision()))
    refused += Decision(violations=decision.violations)
    if refused.violations:
        named = [name for name in ("EACCES", "EPERM", "ENOENT", "ENOEXEC") if name in refused.violations[0].reason]
        return After(error=getattr(errno, named[0]))
    return decision.fold(After)


OWN_GROUP = Case(
    Credentials(1000, 1000, (1001,), 1, 1, 1, FEW, 1, no_new_privs=False),
    mode=0o2755,
    owner=0,
    group=1001,
    attribute=b"",
    nosuid=False,
    script=False,
    userns=False,
)
"""A set-group-ID file of a group that the process has, and an ambient capability: what Linux 6.16 changed."""

ROOT_BECOMES_ANOTHER = msgspec.structs.replace(
    OWN_GROUP,
    before=Credentials(0, 0, (), 0, FEW, FEW, FEW, 0, no_new_privs=False),
    mode=0o4755,
    owner=1001,
    group=0,
)
"""Real uid 0, effective uid 1001: everything is permitted, nothing is effective."""
SET_ROOT_AND_CAPABILITIES = msgspec.structs.replace(
    OWN_GROUP, mode=0o4755, group=0, attribute=attribute(BITS["CAP_CHOWN"], 0, effective=True, root=None)
)
"""Run by another user, such a program is given its file capabilities and not root's."""


@pytest.mark.proof
@example(case=OWN_GROUP)
@example(case=ROOT_BECOMES_ANOTHER)
@example(case=SET_ROOT_AND_CAPABILITIES)
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_the_kernel_makes_of_a_process_what_was_predicted(case: Case, place: str) -> None:
    file = make_files(case, place)
    assert predict(case, file) == execute(case, file, place)


def before(**changes: object) -> Credentials:
    plain = Credentials(
        uid=1000,
        gid=1000,
        groups=(),
        cap_inheritable=0,
        cap_permitted=0,
        cap_effective=0,
        cap_bounding=FEW,
        cap_ambient=0,
        no_new_privs=False,
    )
    return msgspec.structs.replace(plain, **changes)


def after(credentials: Credentials, file: EntryFile, kernel: str = KERNEL) -> After:
    facts = execve.ExecveFacts(file, nosuid=False, userns=UserNamespace(), kernel=kernel)
    return execve.decide(credentials, facts, Sources(Decision())).fold(After)


def test_root_regains_the_bounding_set_and_no_new_privs_stops_it() -> None:
    plain = EntryFile("/bin/x", 0o100755, 0, 0)
    assert after(before(uid=0), plain).cap_permitted == FEW
    assert after(before(uid=0, no_new_privs=True), plain).cap_permitted == 0
    beyond = BITS["CAP_SYSLOG"]
    assert after(before(uid=0, cap_inheritable=beyond), plain).cap_permitted == FEW | beyond


def test_a_script_has_no_privileges_of_its_own() -> None:
    script = EntryFile("/s", 0o106755, 0, 0, interpreter=EntryFile("/bin/sh", 0o100755, 0, 0))
    facts = execve.facts_of(script, ContainerMounts((), frozenset()), UserNamespace(), KERNEL)
    assert facts.file.path == "/bin/sh"


def test_a_set_group_id_file_of_an_own_group_keeps_ambient_capabilities_since_6_16() -> None:
    held = BITS["CAP_CHOWN"]
    credentials = before(groups=(2000,), cap_permitted=held, cap_inheritable=held, cap_ambient=held)
    file = EntryFile("/x", 0o102755, 0, 2000)
    assert after(credentials, file, "6.16.0").cap_ambient == held
    assert after(credentials, file, "6.12.48+deb13-amd64").cap_ambient == 0
    assert after(credentials, file, "6.18.1").gid == (1000, 2000, 2000, 2000)


def test_file_capabilities_outside_the_bounding_set_make_execve_fail() -> None:
    file = EntryFile("/x", 0o100755, 0, 0, capabilities=FileCapabilities(BITS["CAP_SYSLOG"], 0, effective=True))
    facts = execve.ExecveFacts(file, nosuid=False, userns=UserNamespace(), kernel=KERNEL)
    (violation,) = execve.decide(before(), facts, Sources(Decision())).violations
    assert "EPERM" in violation.reason
    assert "CAP_SYSLOG" in violation.reason


@pytest.mark.parametrize(
    ("text", "number"), [("6.18.44-fc", (6, 18)), ("5.10", (5, 10)), ("", (0, 0)), ("x.y", (0, 0))]
)
def test_a_release_is_read(text: str, number: tuple[int, int]) -> None:
    assert execve.release(text) == number
