"""The settings of a check: options of the command line, then the configuration file, then defaults."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from msgspec import Struct

from podward.check import configuration, rule_selection
from podward.check.configuration import CheckConfiguration
from podward.check.globs import Glob, glob
from podward.check.rule_selection import RuleSelection
from podward.check.waivers import ScopedWaiver
from podward.cli import inputs
from podward.cli.checking.files import Link, Naming, naming
from podward.cli.checking.output import Shape
from podward.cli.checking.policies import CheckOptions
from podward.errors import InputError

NAMES = ("podward.toml", configuration.PROJECT)
"""Files that may hold the configuration; in one directory the first that has one is used."""


class Settings(Struct, frozen=True):
    """All settings. `baseline` is a file's name, empty for none. `cached` is whether unchanged files may be skipped.

    `configuration` is the configuration file, empty for none. `inline_waivers` and `max_waiver_days` say which waivers
    count. `links` are those that the search did not follow, `trees` the directories in which files may be changed. The
    patterns in `exclude` and `waivers` match file names as `naming.rooted` gives them.
    """

    options: CheckOptions
    selection: RuleSelection
    exclude: tuple[Glob, ...]
    baseline: str
    shape: Shape
    waivers: tuple[ScopedWaiver, ...]
    naming: Naming
    cached: bool = True
    configuration: str = ""
    inline_waivers: bool = True
    max_waiver_days: int | None = None
    trees: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings of this command line. Raises InputError for an invalid configuration.

    An option goes before the configuration, but for the terms of waivers: there the stricter one counts.
    """
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
        policy_from=tuple(args.policy_from) or tuple(_file_beside(base, name) for name in configured.policy_from),
        pod_kinds=configured.pod_kinds,
    )
    terms = [days for days in (args.max_waiver_days, configured.max_waiver_days) if days is not None]
    return Settings(
        options,
        selection,
        tuple(map(glob, (*configured.exclude, *map(names.pattern, args.exclude)))),
        args.baseline or (_file_beside(base, configured.baseline) if configured.baseline else ""),
        Shape(args.output or configured.output or "table", args.quiet, args.statistics),
        configured.waivers,
        names,
        cached=not args.no_cache,
        configuration=configured.name,
        inline_waivers=not (args.no_inline_waivers or configured.no_inline_waivers),
        max_waiver_days=min(terms) if terms else None,
    )


def find(directory: str) -> CheckConfiguration | None:
    """The configuration in this directory or in the closest directory above it that has one.

    Nothing above the repository is looked at: it is somebody else's. Raises InputError for the file of another user.
    """
    while True:
        for name in NAMES:
            file = os.path.join(directory, name)
            if os.path.isfile(file):
                found = _parsed(os.path.relpath(file), needed=False)
                if found is not None:
                    _require_ours(file, os.path.relpath(file))
                    return found
        above = os.path.dirname(directory)
        if above == directory or is_repository(directory):
            return None
        directory = above


def repositories_of(names: Iterable[str], here: str) -> tuple[str, ...]:
    """The directories that hold the checked files and this directory, each with the repository around it."""
    around: dict[str, str] = {}
    found = {_repository_around(os.path.dirname(os.path.join(here, name)), around) for name in names}
    return tuple(found | {_repository_around(here, around)})


def _repository_around(directory: str, known: dict[str, str]) -> str:
    """The repository that the directory is in; the directory itself if it is in none."""
    if directory not in known:
        above = os.path.dirname(directory)
        if is_repository(directory) or above == directory:
            known[directory] = directory
        else:
            outer = _repository_around(above, known)
            known[directory] = outer if is_repository(outer) else directory
    return known[directory]


def is_repository(directory: str) -> bool:
    """Whether this is the root of a repository; `.git` is a file in a worktree and in a submodule."""
    return os.path.lexists(os.path.join(directory, ".git"))


def _require_ours(file: str, name: str) -> None:
    """Raise InputError for a configuration that belongs to another user, and for a link of another user.

    Nobody else may decide what this check lets through. It is an error and not passed over, as what it says may be
    what the project relies on.
    """
    owners = {os.lstat(file).st_uid, os.stat(file).st_uid} - {os.geteuid(), 0}
    if owners:
        raise InputError(
            f"the configuration belongs to another user, uid {owners.pop()}",
            where=name,
            advice=f"if it is to be used, name it: --config {name}",
        )


def _parsed(name: str, *, needed: bool) -> CheckConfiguration | None:
    found = configuration.parse(inputs.content_of(name).decode("utf-8", "replace"), name)
    return CheckConfiguration(name) if found is None and needed else found


def _file_beside(base: str, name: str) -> str:
    """The name of a file in the configuration as a name from here."""
    return os.path.normpath(os.path.join(base, name))


def _beside(base: str, word: str) -> str:
    """A word of the configuration as the name of a file beside it, if it can mean a file; else the word itself."""
    file = _file_beside(base, word)
    return file if "/" in word or word.endswith(inputs.EXTENSIONS) or os.path.exists(file) else word
