"""One check from end to end."""

from __future__ import annotations

import argparse
import sys

from podward.api.report import Report
from podward.cli.checking import files as listing
from podward.cli.checking import output, settings, working
from podward.cli.checking.cache import NO_CACHE
from podward.cli.checking.naming import Naming
from podward.cli.checking.reporting import report_of
from podward.cli.checking.settings import Settings
from podward.errors import InputError, UsageError


def run(args: argparse.Namespace) -> int:
    """Check, fix or compare; returns the exit code."""
    _require_sense(args)
    chosen = settings.settings_of(args)
    naming = chosen.naming
    names = listing.listed(map(naming.shown, args.paths), chosen.exclude, naming.rooted)
    if not names:
        raise InputError("no manifest found", where=", ".join(args.paths), advice="files end in .yaml, .yml or .json")
    if args.compare:
        from podward.cli.checking import comparing

        return comparing.run(args, chosen, names)
    found = check(names, chosen)
    if args.fix:
        from podward.cli.checking import fixing

        return fixing.fix(found, names, chosen, only_show=args.diff)
    if args.write_baseline:
        return _write_baseline(args.write_baseline, found, naming)
    sys.stdout.write(output.text(found, chosen.output, sys.stdout))
    return found.exit_code


def check(names: tuple[str, ...], chosen: Settings) -> Report:
    """Read and judge the files."""
    cache = working.cache_of(chosen.wishes, names) if chosen.cached else NO_CACHE
    came = working.examine(names, chosen.wishes, cache)
    return report_of(came.findings, came.granted, came.names, came.checked, chosen)


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


def _write_baseline(name: str, found: Report, naming: Naming) -> int:
    from podward.check import baseline as baselines
    from podward.cli.checking import fixing

    content = baselines.write((*found.findings, *found.baselined), naming.rooted)
    fixing.replace(name, content.encode())
    print(f"podward: {name}: {len(found.findings) + len(found.baselined)} findings are known now", file=sys.stderr)
    return 0
