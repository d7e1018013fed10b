"""The words by which a command is given manifests: `FILE`, `-f FILE`, and `-n NAMESPACE` for what names none."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.errors import UsageError

if TYPE_CHECKING:
    from podward.cli.companions import Companions

HELP = "a manifest, a directory, a URL, or - for standard input"


def add(parser: argparse.ArgumentParser, about: str = HELP) -> None:
    """Add them; `about` says what a file is."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=about)
    parser.add_argument("-f", "--filename", action="append", default=[], metavar="FILE", help="the same, as kubectl's")
    parser.add_argument(
        "-n", dest="in_namespace", default="", metavar="NAMESPACE", help="of objects that name none (default: default)"
    )


def again(args: argparse.Namespace, file: str, beside: Companions) -> str:
    """What decides about a Pod besides its `file`, as it is typed once more: other files of the input, and options."""
    from podward.cli.companions import typed
    from podward.render.next_command import quoted

    words = [("-n", args.in_namespace)] if args.in_namespace else []
    words += [("--with", name) for name in dict.fromkeys((*beside.with_pods, *args.beside)) if name != typed(file)]
    words += [("--stand-in", word) for word in args.stand_in]
    words += [(f"--{option}", value) for option, value in _node_words(args)]
    options = (f"{option} {quoted(value)}" if value else option for option, value in words)
    return " ".join((*map(quoted, beside.without_pods), *options))


def _node_words(args: argparse.Namespace) -> list[tuple[str, str]]:
    """What is said of the node, where it is not as it would be without a word."""
    found = [("seccomp-default", "")] if args.seccomp_default else []
    if args.runtime_defaults != "containerd":
        found.append(("runtime-defaults", args.runtime_defaults))
    if args.allowed_unsafe_sysctls:
        found.append(("allowed-unsafe-sysctls", args.allowed_unsafe_sysctls))
    return found


def named(args: argparse.Namespace) -> list[str]:
    """The files, of either form. Raises UsageError where there is none."""
    files: list[str] = [*args.files, *args.filename]
    if not files:
        raise UsageError("no manifest is named", advice="name a file: FILE, -f FILE, or - for standard input")
    return files
