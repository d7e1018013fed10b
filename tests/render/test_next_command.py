"""What is offered to be typed after a refusal."""

from __future__ import annotations

import shlex

import pytest

from podward.decision import Origin, Source, Value, Violation
from podward.path import path
from podward.render.next_command import CommandContext, after_explained, after_failed_start, after_run, quoted

HERE = CommandContext("pod.yaml", container="web", scc="restricted-v2")
SYSCTL = 'forbidden sysctl: "net.core.somaxconn" not allowlisted'


def refused(reason: str, value: Value = None, origin: Origin = Origin.RULE) -> Violation:
    return Violation(path("spec"), value, reason, Source(origin, "somebody"))


@pytest.mark.parametrize("word", ["pod.yaml", "a b", "it's", "$(id)", "`id`", "ü.yaml", "", "a\nb"])
def test_a_word_is_one_word_to_a_shell(word: str) -> None:
    assert shlex.split(quoted(word)) == [word]


def test_a_file_with_a_dash_is_no_option() -> None:
    assert quoted("-f") == "./-f"
    assert quoted("-") == "-"


@pytest.mark.parametrize(
    ("stage", "violation", "command"),
    [
        ("admission", refused("no SCC"), "podward check pod.yaml --scc restricted-v2"),
        ("node", refused(SYSCTL), "podward explain pod.yaml --allowed-unsafe-sysctls net.core.somaxconn"),
        ("kernel", refused("may not", "/run.sh"), "podward explain pod.yaml --access /run.sh:x --container web"),
        ("kernel", refused("is not there", "/bin/$(A)"), "podward explain pod.yaml --show-env"),
        ("effective", refused("image will run as root"), "podward image ls"),
        ("effective", refused("no AppArmor", origin=Origin.NODE), "podward doctor"),
        ("oci", refused("something else"), "podward explain pod.yaml -o wide"),
    ],
)
def test_explain_leads_to_what_changes_the_answer(stage: str, violation: Violation, command: str) -> None:
    assert after_explained(stage, violation, HERE) == command


def test_check_is_asked_about_the_namespace_and_the_user_that_admission_was_asked_about() -> None:
    context = CommandContext("pod.yaml", "--with s.yaml", scc="my scc.yaml", asked="ns.yaml -n shop --as alice")
    assert after_explained("admission", refused("no SCC"), context) == (
        "podward check pod.yaml ns.yaml -n shop --as alice --scc 'my scc.yaml'"
    )


def test_a_mount_that_cannot_be_made_is_no_program_that_may_not_be_executed() -> None:
    mount = Violation(path("mounts", 3, "destination"), "/data/why", "it is not there", Source(Origin.RULE, "runc"))
    assert after_explained("kernel", mount, HERE) == "podward explain pod.yaml -o wide"


def test_run_leads_to_explain() -> None:
    assert after_run(refused("may not"), CommandContext("<stdin>")) == "podward explain -"
    assert after_run(refused(SYSCTL), HERE) == "podward run pod.yaml --allowed-unsafe-sysctls net.core.somaxconn"


def test_an_entry_that_may_not_be_executed_is_asked_about() -> None:
    denied = "crun create: open executable: Permission denied"
    assert after_failed_start(denied, "/run.sh", HERE) == "podward explain pod.yaml --access /run.sh:x --container web"
    assert after_failed_start("crun create: it broke", "/run.sh", HERE) == "podward explain pod.yaml"
