"""The settings of a check: options of the command line, then the configuration file, then defaults."""

from __future__ import annotations

import argparse
import os

from msgspec import Struct

from podward.check import configuration, rule_selection
from podward.check.configuration import CheckConfiguration
from podward.check.globs import Glob, glob
from podward.check.rule_selection import RuleSelection
from podward.check.waivers import ScopedWaiver
from podward.cli import inputs
from podward.cli.checking.files import Naming, naming
from podward.cli.checking.policies import CheckOptions

NAMES = ("podward.toml", configuration.PROJECT)
"""Files that may hold the configuration; in one directory the first that has one is used."""


class Settings(Struct, frozen=True):
    """All settings. `baseline` is a file's name, empty for none. `cached` is whether unchanged files may be skipped.

    The patterns in `exclude` and `waivers` match file names as `naming.rooted` gives them.
    """

    options: CheckOptions
    selection: RuleSelection
    exclude: tuple[Glob, ...]
    baseline: str
    output: str
    waivers: tuple[ScopedWaiver, ...]
    naming: Naming
    cached: bool = True


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings of this command line. Raises InputError for an invalid configuration."""
    found = find(naming("").here) if args.config is None else _parsed(args.config, needed=True)
    configured = found or CheckConfiguration()
    base, names = os.path.dirname(configured.name), naming(configured.name)
    selection = rule_selection.choose(
        rule_selection.words_of(args.select) or configured.select,
        rule_selection.words_of(args.ignore) or configured.ignore,
    )
    options = CheckOptions(
        level=args.level or configured.level,
        version=args.version or configured.version,
        scc=tuple(args.scc) or tuple(_beside(base, word) for word in configured.scc),
        namespace=args.namespace or configured.namespace or "default",
        user=args.user or configured.as_user,
        groups=tuple(args.groups) or configured.as_groups,
    )
    return Settings(
        options,
        selection,
        tuple(map(glob, (*configured.exclude, *map(names.pattern, args.exclude)))),
        args.baseline or (os.path.normpath(os.path.join(base, configured.baseline)) if configured.baseline else ""),
        args.output or configured.output or "table",
        configured.waivers,
        names,
        cached=not args.no_cache,
    )


def find(directory: str) -> CheckConfiguration | None:
    """The configuration in this directory or in the closest directory above it that has one."""
    while True:
        for name in NAMES:
            file = os.path.join(directory, name)
            if os.path.isfile(file):
                found = _parsed(os.path.relpath(file), needed=False)
                if found is not None:
                    return found
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def _parsed(name: str, *, needed: bool) -> CheckConfiguration | None:
    found = configuration.parse(inputs.content_of(name).decode("utf-8", "replace"), name)
    return CheckConfiguration(name) if found is None and needed else found


def _beside(base: str, word: str) -> str:
    """A word of the configuration as the name of a file beside it, if it can mean a file; else the word itself."""
    file = os.path.normpath(os.path.join(base, word))
    return file if "/" in word or word.endswith(inputs.EXTENSIONS) or os.path.exists(file) else word
