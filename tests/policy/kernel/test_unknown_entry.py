"""What is told of a process whose entry file nobody knows is true of every file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podward.api.capability import FULL
from podward.api.image import EntryFile, FileCapabilities
from podward.decision import Assignment, Decision, Origin, Source, Unknown
from podward.path import path
from podward.policy.kernel import execve, unknown_entry
from podward.policy.kernel.credentials import Credentials
from podward.policy.kernel.sources import Sources
from podward.policy.kernel.user_namespace import UserNamespace

IDS = st.sampled_from((0, 1000, 1001))
MASKS = st.sampled_from((0, 0, 1, 3, FULL))
HIDDEN = Unknown("nobody looked", "look")
SOURCE = Source(Origin.RULE, "test")


@st.composite
def credentials(draw: st.DrawFn) -> Credentials:
    """As a runtime sets them: effective and ambient within permitted, and that within bounding."""
    bounding, held = draw(MASKS), draw(MASKS)
    permitted = bounding & held
    ambient = permitted & draw(MASKS)
    return Credentials(
        draw(IDS), draw(IDS), (), ambient, permitted, permitted, bounding, ambient, no_new_privs=draw(st.booleans())
    )


@st.composite
def files(draw: st.DrawFn) -> EntryFile:
    owned = st.builds(FileCapabilities, MASKS, MASKS, st.booleans())
    mode = draw(st.sampled_from((0o100755, 0o104755, 0o102755, 0o106755)))
    return EntryFile("/entry", mode, draw(IDS), draw(IDS), draw(st.none() | owned))


def decided(before: Credentials) -> Decision:
    """What identity, capabilities and seccomp say."""
    names = before.__struct_fields__
    return Decision(tuple(Assignment(path(name), getattr(before, name), "", SOURCE) for name in names))


def values(decision: Decision) -> dict[str, object]:
    return {str(assignment.path): assignment.value for assignment in decision.assignments}


@given(before=credentials(), file=files(), kernel=st.sampled_from(("6.1", "6.18")))
def test_what_is_known_is_what_every_file_leaves(before: Credentials, file: EntryFile, kernel: str) -> None:
    facts = execve.ExecveFacts(file, nosuid=False, userns=UserNamespace(), kernel=kernel)
    with_it = values(execve.decide(before, facts, Sources(Decision())))
    without = values(unknown_entry.decide(decided(before), HIDDEN, Sources(Decision())))
    assert without.keys() == with_it.keys()
    assert [name for name, value in without.items() if value not in (HIDDEN, with_it[name])] == []


def test_no_new_privs_and_empty_sets_leave_nothing_to_the_file() -> None:
    confined = Credentials(1000, 1000, (), 0, 0, 0, 0, 0, no_new_privs=True)
    assert unknown_entry.decide(decided(confined), HIDDEN, Sources(Decision())).unknowns == ()


def test_what_a_file_may_change_is_unknown() -> None:
    plain = Credentials(1000, 1000, (), 0, 1, 1, 1, 0, no_new_privs=False)
    found = values(unknown_entry.decide(decided(plain), HIDDEN, Sources(Decision())))
    assert {name for name, value in found.items() if value == HIDDEN} == {
        "uid",
        "gid",
        "cap_permitted",
        "cap_effective",
    }


def test_an_id_that_nobody_knew_before_stays_unknown() -> None:
    other = Unknown("the image is not here", "pull it")
    origin = Decision((Assignment(path("process", "user", "uid"), other, "", SOURCE),))
    before = decided(Credentials(1000, 1000, (), 0, 0, 0, 0, 0, no_new_privs=True))
    before = Decision(tuple(a for a in before.assignments if a.path != path("uid")))
    assert values(unknown_entry.decide(before, HIDDEN, Sources(origin)))["uid"] == other
