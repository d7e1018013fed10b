"""The words by which a command is given manifests: `FILE`, `-f FILE`, and `-n NAMESPACE` for what names none."""

from __future__ import annotations

import argparse

from podward.errors import UsageError

HELP = "a manifest, a directory, a URL, or - for standard input"


def add(parser: argparse.ArgumentParser, about: str = HELP) -> None:
    """Add them; `about` says what a file is."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=about)
    parser.add_argument("-f", "--filename", action="append", default=[], metavar="FILE", help="the same, as kubectl's")
    parser.add_argument(
        "-n", dest="in_namespace", default="", metavar="NAMESPACE", help="of objects that name none (default: default)"
    )


def named(args: argparse.Namespace) -> list[str]:
    """The files, of either form. Raises UsageError where there is none."""
    files: list[str] = [*args.files, *args.filename]
    if not files:
        raise UsageError("no manifest is named", advice="name a file: FILE, -f FILE, or - for standard input")
    return files
