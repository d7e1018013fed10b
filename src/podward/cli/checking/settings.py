"""What a check is to do: the command line's words before the configuration's, and that before the defaults."""

from __future__ import annotations

import argparse
import os

from msgspec import Struct

from podward.check import configuration, rule_selection
from podward.check.configuration import CheckConfiguration
from podward.check.globs import Glob, glob
from podward.check.rule_selection import Choice
from podward.check.waivers import Granted
from podward.cli import inputs
from podward.cli.checking.naming import Naming, naming
from podward.cli.checking.policies import CheckOptions

NAMES = ("podward.toml", configuration.PROJECT)
"""Files that may hold the configuration, in the order of preference in one directory."""


class Settings(Struct, frozen=True):
    """The whole of it; `baseline` is a file's name, empty for none; `cached`: what has not changed is not judged anew.

    `exclude` matches the names of `naming.rooted`, as the waivers in `granted` do.
    """

    wishes: CheckOptions
    choice: Choice
    exclude: tuple[Glob, ...]
    baseline: str
    output: str
    granted: tuple[Granted, ...]
    naming: Naming
    cached: bool = True


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings. Raises InputError for a configuration that is not what it must be."""
    found = find(naming("").here) if args.config is None else _parsed(args.config, needed=True)
    said = found or CheckConfiguration()
    base, names = os.path.dirname(said.name), naming(said.name)
    choice = rule_selection.choose(
        rule_selection.words_of(args.select) or said.select, rule_selection.words_of(args.ignore) or said.ignore
    )
    wishes = CheckOptions(
        level=args.level or said.level,
        version=args.version or said.version,
        scc=tuple(args.scc) or tuple(_beside(base, word) for word in said.scc),
        namespace=args.namespace or said.namespace or "default",
        user=args.user or said.as_user,
        groups=tuple(args.groups) or said.as_groups,
    )
    return Settings(
        wishes,
        choice,
        tuple(map(glob, (*said.exclude, *map(names.pattern, args.exclude)))),
        args.baseline or (os.path.normpath(os.path.join(base, said.baseline)) if said.baseline else ""),
        args.output or said.output or "table",
        said.waivers,
        names,
        cached=not args.no_cache,
    )


def find(directory: str) -> CheckConfiguration | None:
    """The configuration of this directory, or of the closest one above it that has one."""
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
    """A word of the configuration as a file beside it, where it can be meant so; else the word itself."""
    file = os.path.normpath(os.path.join(base, word))
    return file if "/" in word or word.endswith(inputs.EXTENSIONS) or os.path.exists(file) else word
