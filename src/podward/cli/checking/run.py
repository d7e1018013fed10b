"""`podward check` from its options to its exit code: check, fix, compare, or write a baseline."""

from __future__ import annotations

import argparse
import os
import sys

from msgspec import structs

from podward.api.report import CheckReport
from podward.cli import file_options, process_exit, terminal
from podward.cli.checking import files, kustomize, output
from podward.cli.checking.files import Naming
from podward.cli.checking.reporting import check, nothing_checked
from podward.cli.checking.settings import repositories_of, settings_of
from podward.errors import InputError, UsageError


def run(args: argparse.Namespace) -> int:
    """Check, fix or compare; returns the exit code."""
    _require_consistent(args)
    code = _run(args)
    return 0 if args.exit_zero and code == 1 else code


def _run(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    if settings.configuration and not args.quiet:
        terminal.say(f"the configuration is {settings.configuration}")
    if args.write_baseline:
        settings = structs.replace(settings, baseline="")  # the new baseline has what the old one knows, too
    naming = settings.naming
    paths = file_options.named(args)
    found = files.search(map(naming.shown, paths), settings.exclude, naming.rooted)
    names = files.without(found.names, [name for name in (settings.baseline, args.write_baseline) if name])
    if not (names or found.links or args.allow_empty):
        raise InputError("no manifest found", where=", ".join(paths), advice=_NO_MANIFEST)
    patches = kustomize.patches_of(found, map(naming.shown, paths))
    options = structs.replace(settings.options, patches=patches)
    settings = structs.replace(settings, options=options, links=found.links)
    if args.compare:
        from podward.cli.checking import comparison

        return comparison.run(args, settings, names)
    json_findings = output.json_findings(settings.shape) if not args.fix else None
    searched = frozenset(names).difference(map(naming.shown, paths))
    report = check(names, settings, searched, json_findings)
    if args.fix:
        from podward.cli.checking import fixing

        trees = tuple(filter(os.path.isdir, paths)) or repositories_of((), naming.here)
        settings = structs.replace(settings, trees=trees)
        code = fixing.fix(report, names, settings, searched, only_show=args.diff)
        return code if report.checked or args.allow_empty else nothing_checked(paths, code)
    if args.write_baseline:
        return _write_baseline(args.write_baseline, report, naming)
    sys.stdout.writelines(output.pieces(report, settings.shape, sys.stdout, settings.selection.select, json_findings))
    process_exit.keep(report, json_findings)
    return report.exit_code if report.checked or args.allow_empty else nothing_checked(paths, report.exit_code)


_NO_MANIFEST = "files end in .yaml, .yml or .json; if there may be none, add --allow-empty"


def _require_consistent(args: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go together."""
    if args.diff and not args.fix:
        raise UsageError("--diff goes with --fix", where="--diff", advice="podward check PATH --fix --diff")
    if args.fix and args.compare:
        raise UsageError("--compare changes nothing", where="--fix")
    if args.statistics and args.output not in {None, "table", "json"}:
        raise UsageError(f"--statistics has no {args.output} form", where="-o", advice="choose table or json")
    if args.compare and (args.policy_from or args.statistics):
        option = "--policy-from" if args.policy_from else "--statistics"
        raise UsageError("--compare takes policies from OLD and NEW, and tells changes", where=option)
    if args.output == "html" and not args.compare:
        raise UsageError("only --compare has a page", where="-o html", advice="choose table, json, sarif or junit")
    if args.compare and args.output not in {None, "table", "json", "html"}:
        raise UsageError(f"--compare has no {args.output} form", where="-o", advice="choose table, json or html")


def _write_baseline(name: str, report: CheckReport, naming: Naming) -> int:
    from podward.check import baseline as baselines

    known = [finding for finding in (*report.findings, *report.baselined) if baselines.may_be_known(finding)]
    files.replace(name, baselines.write(known, naming.rooted).encode())
    terminal.say(f"{name}: {len(known)} findings are known now")
    return 0
