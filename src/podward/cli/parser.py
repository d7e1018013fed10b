"""The argument parsers of the commands: no abbreviated options, examples in the help, errors as `UsageError`.

A command is a module with the members of `Command`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, Protocol

from podward import __version__
from podward.cli import terminal
from podward.errors import UsageError


class Command(Protocol):
    """A module of `podward.cli` that is listed in `podward.cli.main.COMMANDS`."""

    SUMMARY: str
    """What the command does, in one line that begins in lower case."""

    EXAMPLES: tuple[tuple[str, str], ...]
    """Pairs of a purpose and a command line."""

    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        """Run the command; returns the exit code. Raises PodwardError."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse's formatter with a fixed width.

    argparse makes a formatter for every argument. Without a width, it would import `shutil`, which slows start-up.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal.columns(sys.stdout) - 2)


class Parser(argparse.ArgumentParser):
    """argparse's parser, whose errors say how to get help and do not print the whole usage."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse makes sub-parsers with arguments of its own
        options.setdefault("formatter_class", Formatter)
        # An abbreviation that works today would break when an option is added.
        super().__init__(**options, allow_abbrev=False)
        self._words_after_dashes = ""

    def keep_words_after_dashes(self, name: str) -> None:
        """Let `args.NAME` be the words after the first `--`, none of which is read: they are somebody else's."""
        self._words_after_dashes = name

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The command's words; `files` may stand anywhere among the options, as in kubectl."""
        if self._words_after_dashes:
            end = words.index("--") if "--" in words else len(words)
            args = self.parse_args(words[:end])
            setattr(args, self._words_after_dashes, tuple(words[end + 1 :]))
            return args
        args, rest = self.parse_known_args(words)
        before = rest[: rest.index("--")] if "--" in rest else rest
        odd = [word for word in before if word.startswith("-") and word != "-"]
        if odd or (rest and "files" not in args):
            self.error(f"unrecognized arguments: {' '.join(odd or rest)}")
        if rest:
            args.files = [*args.files, *before, *rest[len(before) + 1 :]]
        return args

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with argparse's message."""
        raise UsageError(
            message,
            where=self.prog.removeprefix("podward "),
            advice=f"`{self.prog} --help` shows the options, with examples.",
        )


def for_command(name: str, command: Command) -> Parser:
    """The parser of the arguments after `podward NAME`."""
    parser = Parser(prog=f"podward {name}", description=_sentence(command.SUMMARY), epilog=_epilog(command.EXAMPLES))
    command.configure(parser)
    return parser


def require_no_such_file(words: Sequence[str]) -> None:
    """Raise UsageError for an option that is the name of a file here, too.

    A shell makes such words of `*`: a file that is called `--help` would end the command before it has looked at
    anything, and one that is called `-` would stand for standard input.
    """
    for word in words:
        if word == "--":
            return
        if word.startswith("-") and os.path.lexists(word):
            raise UsageError(
                "this is an option, and there is a file of that name",
                where=word,
                advice=f"write `--` before the names of files; to mean the file alone, write ./{word}",
            )


def for_all(commands: Iterable[tuple[str, Command]], kind: type[Parser] = Parser) -> Parser:
    """One parser of this kind with all commands, as the generator of completion scripts needs it."""
    parser = kind(prog="podward")
    parser.add_argument("-V", "--version", action="version", version=f"podward {__version__}")
    listed = parser.add_subparsers(metavar="COMMAND")
    for name, command in commands:
        command.configure(listed.add_parser(name, help=command.SUMMARY))
    return parser


def _sentence(summary: str) -> str:
    return f"{summary[:1].upper()}{summary[1:]}."


def _epilog(examples: Iterable[tuple[str, str]]) -> str:
    return "examples:\n" + "\n".join(f"  # {purpose}\n  {line}" for purpose, line in examples)
