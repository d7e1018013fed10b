"""The access check against the kernel itself: random pairs of a process and a path, predicted and tried."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from msgspec import Struct
from proofs import examples

import podward
from podward.api.filesystem import (
    UNMAPPED,
    Access,
    Denial,
    FileAccessFacts,
    MountFlags,
    acl_text,
    mask,
    mode_text,
    parse_acl,
)
from podward.api.node import IDENTITY
from podward.api.process import ProcessState
from podward.policy.kernel import access

PROCESSES, FILES = examples(50, 125), 16
PROBE = f"{os.path.dirname(__file__)}/access_probe.py"
DIRECTORY, FILE = 0o040000, 0o100000


class Tried(Struct, frozen=True):
    """A line of access_probe.py."""

    seed: str
    area: str
    process: ProcessState
    chain: tuple[FileAccessFacts, ...]
    outcomes: dict[str, str]


def tried(seed: str, processes: int, files: int) -> list[Tried]:
    """What the kernel says; the probe and all that it started are gone afterwards, whatever happens."""
    directory = tempfile.mkdtemp(prefix="podward-access-")
    try:
        source = os.path.dirname(os.path.dirname(os.path.abspath(podward.__file__)))
        words = [sys.executable, PROBE, seed, str(processes), str(files), directory]
        environment = {**os.environ, "PYTHONPATH": source}
        ran = subprocess.run(words, capture_output=True, env=environment, timeout=90 * PROCESSES // 50, check=False)
        assert ran.returncode == 0, f"seed {seed}: {ran.stderr.decode()}"
        return [msgspec.json.decode(line, type=Tried) for line in ran.stdout.splitlines()]
    finally:
        shutil.rmtree(directory)  # its mounts went with the probe's mount namespace


@pytest.fixture(scope="module")
def seen() -> list[Tried]:
    seed = os.environ.get("PODWARD_ACCESS_SEED") or os.urandom(4).hex()
    return tried(seed, PROCESSES, FILES)


def executes_special(case: Tried, bits: int) -> bool:
    """access(2) looks at the bits of a device or a FIFO; execve(2), which is what we answer for, at what it is."""
    return bool(bits & 1) and case.chain[-1].special and not case.chain[-1].error


def opens_special_device(case: Tried) -> bool:
    """access(2) does not open: nodev is open(2)'s."""
    return case.chain[-1].device and case.chain[-1].mount.nodev


def predictions(case: Tried) -> Iterator[tuple[str, str]]:
    """What was tried, with the errno that is predicted for it."""
    for bits in range(1, 8):
        if not executes_special(case, bits) and not opens_special_device(case):
            yield f"access {bits}", access.permission(case.process, case.chain, bits)
    yield "open r", errno_of(case, "r")
    if not case.chain[-1].directory:
        yield "open w", errno_of(case, "w")
        yield "open rw", errno_of(case, "rw")
    elif case.area != "mapped" or case.process.uid_map != IDENTITY:
        # Whose own id has no place on an id-mapped mount can't create there (EOVERFLOW): no Pod's process is so.
        yield "create", errno_of(case, "w")


def errno_of(case: Tried, wanted: str) -> str:
    violations = access.decide(case.process, case.chain, wanted).violations
    if not violations:
        return ""
    denial = violations[0].value
    assert isinstance(denial, Denial)
    return denial.errno


@pytest.mark.needs("root")
@pytest.mark.proof
def test_random_accesses_are_predicted(seen: list[Tried]) -> None:
    assert len(seen) == PROCESSES * FILES
    wrong = [
        f"seed {case.seed}, {case.area}, {what}: predicted {predicted or 'success'}, the kernel says "
        f"{case.outcomes[what] or 'success'}\n  {case.process}\n  " + "\n  ".join(map(str, case.chain[4:]))
        for case in seen
        for what, predicted in predictions(case)
        if case.outcomes[what] != predicted
    ]
    assert not wrong, f"{len(wrong)} differ; the first:\n" + "\n".join(wrong[:5])


@pytest.mark.needs("root")
def test_the_random_accesses_reach_every_rule(seen: list[Tried]) -> None:
    """A proof over cases that all look alike would prove little."""
    rules: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for case in seen:
        for wanted in ("r", "w", "rw", "x"):
            decision = access.decide(case.process, case.chain, wanted)
            for violation in decision.violations:
                assert isinstance(violation.value, Denial)
                rules[f"-{violation.value.rule}"] += 1
            if not decision.refused:
                rules.update(f"+{grant.rule}" for grant in decision.fold(Access).grants)
        errors.update(case.outcomes.values())
    granted = {"owner", "named user", "owning group", "named group", "other", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"}
    denied = {"owner", "named user", "owning group", "named group", "other", "read-only mount", "noexec mount"}
    denied |= {"nodev mount", "unmapped ids", "not regular", "path"}
    assert {f"+{rule}" for rule in granted} | {f"-{rule}" for rule in denied} <= rules.keys()
    assert {"", "EACCES", "EROFS", "ENOENT"} <= errors.keys()
    assert len({case.area for case in seen}) == 6
    allowed = errors[""] / errors.total()
    assert 0.15 < allowed < 0.85


def process(uid: int = 1000, *groups: int, gid: int = 1000, capabilities: int = 0) -> ProcessState:
    return ProcessState(
        uid=(uid,) * 4, gid=(gid,) * 4, groups=groups,
        cap_inheritable=0, cap_permitted=capabilities, cap_effective=capabilities, cap_bounding=0, cap_ambient=0,
        no_new_privs=False, seccomp=0, uid_map=IDENTITY, gid_map=IDENTITY, root_readonly=False,
        mounts=(), masked=(), readonly_paths=(), host_namespaces=(), oom_score_adj=0,
    )  # fmt: skip


ROOT = FileAccessFacts("/", mode=DIRECTORY | 0o755)


def data(mode: int, uid: int = 0, gid: int = 0, acl: str = "", **more: object) -> tuple[FileAccessFacts, ...]:
    facts = FileAccessFacts("/data", uid, gid, DIRECTORY | mode, parse_acl(acl))
    return ROOT, msgspec.structs.replace(facts, **more)


def reason(state: ProcessState, chain: tuple[FileAccessFacts, ...], wanted: str) -> str:
    (violation,) = access.decide(state, chain, wanted).violations
    return violation.reason


def test_a_refusal_says_whose_bits_count_and_who_the_process_is() -> None:
    assert reason(process(1000, 2000), data(0o755), "w") == (
        "/data: write denied: mode drwxr-xr-x root:root gives others r-x; "
        "the process is uid 1000, groups 1000 2000 (EACCES)"
    )


def test_the_owners_bits_deny_the_owner_what_others_may() -> None:
    assert "gives its owner ---" in reason(process(), data(0o077, uid=1000), "r")
    assert access.can(process(1001, gid=1001), data(0o077, uid=1000), "rwx")


def test_the_groups_bits_deny_a_member_what_others_may() -> None:
    assert "gives its group ---" in reason(process(1000, 2000), data(0o707, gid=2000), "r")


def test_a_refusal_names_the_entry_of_the_list_and_what_its_mask_leaves() -> None:
    chain = data(0o750, acl="u::rwx,u:1000:rwx,g::r-x,m::r-x,o::---")
    assert "has the entry user:1000:rwx, of which the mask (r-x) leaves r-x" in reason(process(), chain, "w")
    assert mode_text(chain[-1]) == "drwxr-x---+"


def test_entries_of_two_groups_do_not_add_up() -> None:
    file = FileAccessFacts("/f", 0, 0, FILE | 0o660, parse_acl("u::rw-,g::---,g:2000:r--,g:2001:-w-,m::rw-,o::---"))
    member = process(1000, 2000, 2001)
    assert [access.can(member, (ROOT, file), wanted) for wanted in ("r", "w", "rw")] == [True, True, False]


def test_a_list_whose_mask_is_empty_is_not_looked_at() -> None:
    chain = data(0o705, acl="u::rwx,u:1000:rwx,g::r-x,m::---,o::r-x")
    assert access.can(process(), chain, "r")
    assert not access.can(process(1001, 0), chain, "r")


def test_what_cannot_be_searched_hides_what_is_below() -> None:
    secret = FileAccessFacts("/data", 0, 0, DIRECTORY | 0o700)
    missing = FileAccessFacts("/data/x", error="ENOENT")
    (violation,) = access.decide(process(), (ROOT, secret, missing), "r").violations
    assert isinstance(violation.value, Denial)
    assert (violation.value.errno, violation.value.component, violation.value.step) == ("EACCES", "/data", 1)
    assert "/data: search denied" in violation.reason
    assert str(violation.path) == "access[/data]"


def test_a_missing_file_is_said_to_be_missing_and_whether_it_may_be_made() -> None:
    missing = FileAccessFacts("/data/x", error="ENOENT")
    assert "ENOENT" in reason(process(), (*data(0o777), missing), "w")
    assert "the process may create it: /data gives others rwx" in reason(process(), (*data(0o777), missing), "w")
    assert "nor may the process create it" in reason(process(), (*data(0o755), missing), "w")
    # The way led through /data, what is missing is beside it.
    assert "create it: / is drwxr-xr-x" in reason(process(), (*data(0o777), FileAccessFacts("/x", error="ENOENT")), "w")


def test_writing_in_a_directory_takes_search_too() -> None:
    assert "takes x besides w" in reason(process(), data(0o776), "w")
    assert access.can(process(), data(0o773), "w")


def test_a_capability_does_not_execute_what_nobody_may() -> None:
    root = process(0, gid=0, capabilities=2)
    file = FileAccessFacts("/f", 1000, 1000, FILE | 0o600)
    assert access.can(root, (ROOT, file), "rw")
    assert not access.can(root, (ROOT, file), "x")
    assert access.can(root, (ROOT, msgspec.structs.replace(file, mode=FILE | 0o610)), "x")


def test_a_capability_does_not_count_for_files_outside_the_user_namespace() -> None:
    lines = ((0, 65536, 65536),)
    root = msgspec.structs.replace(process(65536, gid=65536, capabilities=3 << 1), uid_map=lines, gid_map=lines)
    said = reason(root, data(0o700, uid=0, gid=0), "r")
    assert "does not count" in said
    assert "host-0:host-0" in said
    assert "uid 0 (host uid 65536)" in said
    assert access.can(root, data(0o700, uid=65537, gid=65540), "rwx")


def test_nobody_writes_to_a_file_that_its_mount_has_no_owner_for() -> None:
    assert "no id in the Pod's user namespace" in reason(process(), data(0o777, uid=UNMAPPED), "w")
    assert access.can(process(), data(0o777, uid=UNMAPPED), "r")


def test_a_read_only_mount_is_the_reason_only_for_who_could_write() -> None:
    frozen = MountFlags(readonly=True)
    file = FileAccessFacts("/f", 0, 0, FILE | 0o666, mount=frozen)
    assert "EROFS" in reason(process(), (ROOT, file), "w")
    assert "EACCES" in reason(process(), (ROOT, msgspec.structs.replace(file, mode=FILE | 0o644)), "w")
    assert "EROFS" in reason(process(), data(0o755, mount=frozen), "w")
    assert "EACCES" in reason(process(), data(0o766, mount=frozen), "w")
    assert access.can(process(), data(0o755, mount=frozen), "r")


def test_every_component_says_which_rule_allowed_it() -> None:
    chain = (*data(0o710, gid=2000), FileAccessFacts("/data/f", 1000, 1000, FILE | 0o400))
    grants = access.decide(process(1000, 2000), chain, "r").fold(Access).grants
    found = [(grant.component, grant.wanted, grant.rule) for grant in grants]
    assert found == [("/", "x", "other"), ("/data", "x", "owning group"), ("/data/f", "r", "owner")]


def test_an_empty_wish_is_no_question() -> None:
    with pytest.raises(ValueError, match="something to do"):
        access.decide(process(), data(0o755), "")


@pytest.mark.parametrize("text", ["u::rwx,u:1000:r-x,g::---,m::r-x,o::---", ""])
def test_a_list_is_read_as_setfacl_writes_it(text: str) -> None:
    assert acl_text(parse_acl(text)) == text


@pytest.mark.parametrize("text", ["u:rwx", "x::rwx", "u::rwz"])
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry|unpack"):
        parse_acl(text)


def test_letters_and_bits() -> None:
    assert mask("rw") == 6
    assert mode_text(FileAccessFacts("/", mode=DIRECTORY | 0o1777)) == "drwxrwxrwt"
    assert mode_text(FileAccessFacts("/", mode=FILE | 0o6640)) == "-rwSr-S---"
