"""Words of a command line: files anywhere among the options, and what is typed again in a suggestion."""

from __future__ import annotations

import shlex

import pytest

from podward.cli import cluster_options, file_options, parser
from podward.cli.companions import Companions
from podward.cli.main import load
from podward.errors import UsageError


def words(*given: str) -> list[str]:
    return file_options.named(parser.for_command("explain", load("explain")).parse(list(given)))


def test_files_may_stand_anywhere() -> None:
    assert words("a", "-o", "json", "b", "-f", "c", "d") == ["a", "b", "d", "c"]
    assert words("-") == ["-"]
    assert words("-f", "a", "--", "-b", "c") == ["-b", "c", "a"]


@pytest.mark.parametrize("given", [["a", "--bogus"], ["a", "--bogus", "b"], ["-z", "a"], ["a", "--outpu", "json"]])
def test_an_option_that_is_none_is_bad_usage(given: list[str]) -> None:
    with pytest.raises(UsageError, match="unrecognized arguments: -"):
        words(*given)


def test_no_file_is_bad_usage_that_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match="no manifest") as caught:
        words("-o", "json")
    assert "-f FILE" in caught.value.advice


@pytest.mark.parametrize("command", ["explain", "run", "diff", "admit"])
def test_every_command_takes_files_and_a_namespace(command: str) -> None:
    args = parser.for_command(command, load(command)).parse(["-n", "shop", "a", "-f", "b"])
    assert (file_options.named(args), args.in_namespace) == (["a", "b"], "shop")


def test_what_decides_is_typed_again_and_nothing_else() -> None:
    given = ["-n", "shop", "--with", "a b.yaml", "--runtime-defaults", "cri-o", "--seccomp-default"]
    args = parser.for_command("explain", load("explain")).parse(["pod.yaml", *given, "-o", "json"])
    assert shlex.split(file_options.again(args, "pod.yaml", Companions())) == [
        "-n", "shop", "--with", "a b.yaml", "--seccomp-default", "--runtime-defaults", "cri-o",
    ]  # fmt: skip
    args = parser.for_command("run", load("run")).parse(["pod.yaml"])
    assert file_options.again(args, "pod.yaml", Companions()) == ""


def test_other_files_of_the_input_are_typed_again() -> None:
    args = parser.for_command("run", load("run")).parse(["pod.yaml", "-", "my ns.yaml", "b.yaml", "--with", "s.yaml"])
    beside = Companions(without_pods=("my ns.yaml",), with_policies=("my ns.yaml",), with_pods=("-", "b.yaml"))
    again = ["my ns.yaml", "--with", "-", "--with", "b.yaml", "--with", "s.yaml"]
    assert shlex.split(file_options.again(args, "pod.yaml", beside)) == again
    assert shlex.split(file_options.again(args, "<stdin>", beside)) == [*again[:1], *again[3:]]
    admitted = parser.for_command("admit", load("admit")).parse(["pod.yaml", "--namespace", "ns.yaml"])
    assert shlex.split(cluster_options.for_check(admitted, "shop", beside)) == ["my ns.yaml", "ns.yaml", "-n", "shop"]


def test_names_of_sysctls_that_are_given_several_times_are_one_list() -> None:
    option = "--allowed-unsafe-sysctls"
    args = parser.for_command("run", load("run")).parse(["pod.yaml", option, "kernel.a,net.b", option, "net.c*"])
    assert args.allowed_unsafe_sysctls == "kernel.a,net.b,net.c*"


def test_a_cluster_is_described_again() -> None:
    given = ["--scc", "my scc.yaml", "--as", "alice", "--as-group", "devs"]
    args = parser.for_command("admit", load("admit")).parse(["pod.yaml", *given])
    assert shlex.split(cluster_options.again(args, "openshift")) == ["--cluster", "openshift", *given]
