"""One check from end to end."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from msgspec import structs

from podward.api.finding import Finding, Severity
from podward.api.report import CheckReport
from podward.cli import ending
from podward.cli.checking import files as listing
from podward.cli.checking import output, settings, working
from podward.cli.checking.cache import NO_CACHE
from podward.cli.checking.naming import Naming
from podward.cli.checking.reading import OTHER
from podward.cli.checking.reporting import report_of
from podward.cli.checking.settings import Settings
from podward.errors import InputError, UsageError

if TYPE_CHECKING:
    from podward.render.check.json import Written


def run(args: argparse.Namespace) -> int:
    """Check, fix or compare; returns the exit code."""
    _require_sense(args)
    chosen = settings.settings_of(args)
    if args.write_baseline:
        chosen = structs.replace(chosen, baseline="")  # what is known already is written anew
    naming = chosen.naming
    names = listing.listed(map(naming.shown, args.paths), chosen.exclude, naming.rooted)
    names = listing.without(names, [name for name in (chosen.baseline, args.write_baseline) if name])
    if not names:
        raise InputError("no manifest found", where=", ".join(args.paths), advice="files end in .yaml, .yml or .json")
    if args.compare:
        from podward.cli.checking import comparing

        return comparing.run(args, chosen, names)
    written = output.written(chosen.output) if not args.fix else None
    searched = frozenset(names).difference(map(naming.shown, args.paths))
    found = check(names, chosen, searched, written)
    if args.fix:
        from podward.cli.checking import fixing

        return fixing.fix(found, names, chosen, searched, only_show=args.diff)
    if args.write_baseline:
        return _write_baseline(args.write_baseline, found, naming)
    sys.stdout.writelines(output.pieces(found, chosen.output, sys.stdout, chosen.choice.select, written))
    ending.leave(found, written)
    return found.exit_code


def check(
    names: tuple[str, ...],
    chosen: Settings,
    searched: frozenset[str] = frozenset(),
    written: Written | None = None,
) -> CheckReport:
    """Read and judge the files; nobody named those in `searched`, and they may be something else than manifests.

    `written` is for findings that are to be JSON.
    """
    cache = working.cache_of(chosen.wishes, names) if chosen.cached else NO_CACHE
    came = working.examine(names, chosen.wishes, cache, written=written)
    findings = [_as_note(each) if each.rule == OTHER and each.file in searched else each for each in came.findings]
    return report_of(findings, came.granted, came.names, came.checked, chosen)


def _as_note(finding: Finding) -> Finding:
    return structs.replace(finding, severity=Severity.NOTE)


def _require_sense(args: argparse.Namespace) -> None:
    """Raise UsageError for words that do not go together."""
    if args.diff and not args.fix:
        raise UsageError("--diff goes with --fix", where="--diff", advice="podward check PATH --fix --diff")
    if args.fix and args.compare:
        raise UsageError("--compare changes nothing", where="--fix")
    if args.output == "html" and not args.compare:
        raise UsageError("only --compare has a page", where="-o html", advice="choose table, json, sarif or junit")
    if args.compare and args.output not in {None, "table", "json", "html"}:
        raise UsageError(f"--compare has no {args.output} form", where="-o", advice="choose table, json or html")


def _write_baseline(name: str, found: CheckReport, naming: Naming) -> int:
    from podward.check import baseline as baselines
    from podward.cli.checking import fixing

    known = [finding for finding in (*found.findings, *found.baselined) if baselines.may_be_known(finding)]
    fixing.replace(name, baselines.write(known, naming.rooted).encode())
    print(f"podward: {name}: {len(known)} findings are known now", file=sys.stderr)
    return 0
