"""`podward completion SHELL`: a completion script for a shell, made from the parsers of all commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from podward.cli.main import COMMANDS, load
from podward.cli.parser import Parser, for_all

SUMMARY = "print a shell's completion script"
EXAMPLES = (
    ("bash, for this session", "source <(podward completion bash)"),
    ("bash, for good", "podward completion bash > ~/.local/share/bash-completion/completions/podward"),
    ("zsh, in a directory of $fpath", "podward completion zsh > ~/.zfunc/_podward"),
    ("fish", "podward completion fish > ~/.config/fish/completions/podward.fish"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that will read it")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    everything = for_all(((name, load(name)) for name in COMMANDS), _NamingParser)
    print(shtab.complete(everything, args.shell))
    return 0


def _rules() -> tuple[str, ...]:
    from podward.check import rules

    return (*rules.DESCRIPTIONS, *rules.FAMILIES)


def _sccs() -> tuple[str, ...]:
    from podward.policy.scc import default_set

    return default_set.NAMES


_NAMES: dict[str, Callable[[], tuple[str, ...]]] = {"RULE": _rules, "RULES": _rules, "NAME|FILE": _sccs}
"""What the values of arguments with these metavars may be; the shell offers them, and others are as good."""


class _NamingParser(Parser):
    """A parser that is made to be completed, not to parse: arguments that take names say which there are."""

    def add_argument(self, *words: Any, **options: Any) -> argparse.Action:  # noqa: ANN401 - as argparse has it
        action = super().add_argument(*words, **options)
        names = _NAMES.get(str(action.metavar))
        if names is not None:
            action.choices = names()
        return action
