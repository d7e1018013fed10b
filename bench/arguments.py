"""Types of the arguments that the scripts of `bench/` take; argparse prints why one is refused.

A name that begins with `-` is refused even after `--`: a script that took `--help` for a directory wrote 2,000 files
into it.
"""

from __future__ import annotations

import argparse
import math


def name(text: str) -> str:
    """The name of a file or a directory."""
    if not text or text.startswith("-"):
        raise argparse.ArgumentTypeError(f"{text!r} is no name here (if it is meant: ./{text})")
    return text


def count(text: str) -> int:
    """A number of rounds, files or processes: at least one."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def seconds(text: str) -> float:
    """A time to measure for."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no time above 0")
    return value
