"""Argument parsers in Podward's manner: no abbreviated options, examples under the help, errors as `UsageError`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from podward import __version__
from podward.cli import terminal
from podward.cli.command import Command
from podward.errors import UsageError


class Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse's formatter, told how wide to write.

    argparse makes one for every argument added, and left alone each asks `shutil`, whose import start-up would pay for.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal.columns(sys.stdout) - 2)


class Parser(argparse.ArgumentParser):
    """argparse's parser, with an error that says how to get help instead of printing the whole usage."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse makes sub-parsers with words of its own
        options.setdefault("formatter_class", Formatter)
        # An abbreviation that works today would break when an option is added.
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with argparse's message."""
        raise UsageError(
            message,
            where=self.prog.removeprefix("podward "),
            advice=f"`{self.prog} --help` shows the options, with examples.",
        )


def for_command(name: str, command: Command) -> Parser:
    """The parser of the words after `podward NAME`."""
    parser = Parser(prog=f"podward {name}", description=_sentence(command.SUMMARY), epilog=_epilog(command.EXAMPLES))
    command.configure(parser)
    return parser


def for_all(commands: Iterable[tuple[str, Command]]) -> Parser:
    """One parser with every command in it, as the generator of completion scripts needs it."""
    parser = Parser(prog="podward")
    parser.add_argument("-V", "--version", action="version", version=f"podward {__version__}")
    listed = parser.add_subparsers(metavar="COMMAND")
    for name, command in commands:
        command.configure(listed.add_parser(name, help=command.SUMMARY))
    return parser


def _sentence(summary: str) -> str:
    return f"{summary[:1].upper()}{summary[1:]}."


def _epilog(examples: Iterable[tuple[str, str]]) -> str:
    return "examples:\n" + "\n".join(f"  # {purpose}\n  {line}" for purpose, line in examples)
