"""Flags of a part that `serve` takes as its own, and passes on as they were written."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection

Configure = Callable[[argparse.ArgumentParser], None]


def add(parser: argparse.ArgumentParser, configure: Configure, title: str, left_out: Collection[str]) -> None:
    """Add the flags that `configure` gives a part, but for those which `serve` decides itself."""
    group = parser.add_argument_group(title)
    for action in _actions(configure, left_out):
        if action.nargs == 0:
            group.add_argument(*action.option_strings, dest=action.dest, action="store_true", help=action.help)
        else:
            group.add_argument(
                *action.option_strings,
                dest=action.dest,
                default=None,
                type=_checked(action.type if callable(action.type) else str),
                choices=action.choices,
                metavar=action.metavar,
                help=_help(action),
            )


def words(args: argparse.Namespace, configure: Configure, left_out: Collection[str]) -> list[str]:
    """The words that were written of these flags."""
    found: list[str] = []
    for action in _actions(configure, left_out):
        said = getattr(args, action.dest)
        flag = action.option_strings[0]
        if said is True:
            found.append(flag)
        elif isinstance(said, str):
            found.append(f"{flag}={said}")
    return found


def _actions(configure: Configure, left_out: Collection[str]) -> list[argparse.Action]:
    part = argparse.ArgumentParser(add_help=False)
    configure(part)
    return [action for action in part._actions if action.option_strings[0] not in left_out]  # noqa: SLF001 - of argparse


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Read a word as the part will, so that what is wrong is told at once; and keep it as it is."""

    def check(text: str) -> str:
        read(text)
        return text

    check.__name__ = getattr(read, "__name__", "value")
    return check


def _help(action: argparse.Action) -> str:
    default = "" if action.default is None else str(action.default)
    return (action.help or "").replace("%(default)s", default.replace("%", "%%"))
