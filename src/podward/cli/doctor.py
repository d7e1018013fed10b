"""`podward doctor`: what this machine's kernel and tools can enforce, and what to do if they can't."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap

from msgspec import Struct

from podward.cli import terminal
from podward.render.escaping import json_text
from podward.runtime.health import LIMITED, MISSING, OK, HealthCheck, check_machine
from podward.runtime.state import configured_root

SUMMARY = "what this machine's kernel and tools can enforce, and what to do about the rest"
EXAMPLES = (
    ("look at this machine, and run a container with each OCI runtime", "sudo podward doctor"),
    ("for programs", "podward doctor -o json"),
)

_MARKS = {OK: "ok", LIMITED: "limited", MISSING: "missing"}
_COLOURS = {OK: "\x1b[32m", LIMITED: "\x1b[33m", MISSING: "\x1b[31m"}
_STATE_WIDTH, _NAME_WIDTH = 8, 26


class DoctorReport(Struct, frozen=True):
    """The document of `-o json`."""

    ready: bool
    checks: tuple[HealthCheck, ...]


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="how to print (default: text)")


def run(args: argparse.Namespace) -> int:
    """Print every check; returns 0 if Pods can run, else 1."""
    checks = check_machine(configured_root())
    ready = is_ready(checks)
    if args.output == "json":
        sys.stdout.write(json_text(DoctorReport(ready, tuple(checks)), 2))
    else:
        print(rendered(checks, coloured=terminal.colour_wanted(sys.stdout), width=_width()))
    return 0 if ready else 1


def is_ready(checks: list[HealthCheck]) -> bool:
    """Whether Pods can run: nothing is missing that all Pods need."""
    return not any(check.required and check.state == MISSING for check in checks)


def rendered(checks: list[HealthCheck], *, coloured: bool, width: int) -> str:
    """The checks by group, then a summary; consequence and remedy are below each check that is not ok."""
    lines: list[str] = []
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            lines += ["", group] if lines else [group]
        lines += _lines(check, coloured=coloured, width=width)
    verdict = "Pods can run here." if is_ready(checks) else "Pods cannot run here: see what is missing above."
    counts = ", ".join(f"{sum(c.state == state for c in checks)} {mark}" for state, mark in _MARKS.items())
    return "\n".join([*lines, "", f"{verdict} ({counts})"])


def _lines(check: HealthCheck, *, coloured: bool, width: int) -> list[str]:
    mark = _MARKS[check.state].ljust(_STATE_WIDTH)
    if coloured:
        mark = f"{_COLOURS[check.state]}{mark}{terminal.RESET}"
    # The text may contain a tool's output, which must not control the terminal.
    found = _wrapped(terminal.printable(check.found), width, 2 + _STATE_WIDTH + _NAME_WIDTH)
    lines = [f"  {mark}{check.name.ljust(_NAME_WIDTH)}{found[0]}".rstrip()]
    lines += [" " * (2 + _STATE_WIDTH + _NAME_WIDTH) + line for line in found[1:]]
    for label, text in (("so:", check.consequence), ("do:", check.remedy)):
        if text:
            first, *rest = _wrapped(text, width, 2 + _STATE_WIDTH + 4)
            lines.append(" " * (2 + _STATE_WIDTH) + f"{label} {first}")
            lines += [" " * (2 + _STATE_WIDTH + 4) + line for line in rest]
    return lines


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    return textwrap.wrap(text, max(width - indent, 20), break_on_hyphens=False) or [""]


def _width() -> int:
    """The terminal's width, at most 100 columns; 80 without a terminal."""
    try:
        return min(os.get_terminal_size(sys.stdout.fileno()).columns, 100)
    except (OSError, ValueError):
        return 80
