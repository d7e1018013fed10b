"""What a module must offer to be a command of `podward`."""

from __future__ import annotations

import argparse
from typing import Protocol


class Command(Protocol):
    """A module of `podward.cli` that is listed in `podward.cli.main.COMMANDS`."""

    SUMMARY: str
    """What it does, in one line, beginning in lower case."""

    EXAMPLES: tuple[tuple[str, str], ...]
    """Pairs of what for and the command line."""

    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        """Do it; the answer is the exit code. Raises PodwardError."""
