"""What tells findings apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.path import Key, Path

WORDS = st.text(alphabet="a|\\", max_size=4)
FINDINGS = st.builds(
    lambda words: Finding(
        words[5], Severity.ERROR, words[0], 1, 0, Path((Key(words[6]),)), WorkloadRef(*words[1:5]), "something"
    ),
    st.lists(WORDS, min_size=7, max_size=7),
)


@given(FINDINGS, FINDINGS)
def test_two_findings_have_one_fingerprint_only_if_all_that_counts_is_equal(one: Finding, other: Finding) -> None:
    same = (one.file, one.subject, one.rule, str(one.path)) == (other.file, other.subject, other.rule, str(other.path))
    assert (one.fingerprint == other.fingerprint) == same


def test_a_separator_in_a_name_does_not_shift_the_parts() -> None:
    shop = WorkloadRef("Pod", "shop", "web|x", "")
    moved = WorkloadRef("Pod", "shop", "web", "x|")
    made = [Finding("pss/a", Severity.ERROR, "f", 1, 0, Path(), about, "") for about in (shop, moved)]
    assert made[0].fingerprint != made[1].fingerprint


def test_what_has_no_separator_reads_plainly() -> None:
    about = WorkloadRef("Pod", "shop", "web", "app")
    made = Finding("pss/hostPorts", Severity.ERROR, "a.yaml", 7, 0, Path(("spec", "x")), about, "")
    assert made.fingerprint == "a.yaml|Pod|shop|web|app|pss/hostPorts|spec.x"
    assert made.fingerprint_in_file == "Pod|shop|web|app|pss/hostPorts|spec.x"
