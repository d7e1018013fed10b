"""The flags with which an API server is OpenShift's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from podward.policy.scc.allocation import Ranges

_UIDS, _LEVELS = "1000000000-1999999999/10000", "s0:/2"


def add_openshift_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add(
        "--openshift",
        action="store_true",
        help="be OpenShift's: SecurityContextConstraints, projects, ids for namespaces",
    )
    add(
        "--namespace-ranges",
        default=_UIDS,
        metavar="UIDS",
        help="with --openshift, the ids of namespaces: first, last, how many each gets (%(default)s)",
    )
    add(
        "--namespace-levels",
        default=_LEVELS,
        metavar="LEVELS",
        help="with --openshift, their SELinux levels: a prefix, and how many categories (%(default)s)",
    )


def namespace_ranges(args: argparse.Namespace) -> Ranges | None:
    """What namespaces get; None for a server that is none of OpenShift's. Raises UsageError."""
    if not args.openshift:
        for flag, given, usual in (
            ("--namespace-ranges", args.namespace_ranges, _UIDS),
            ("--namespace-levels", args.namespace_levels, _LEVELS),
        ):
            if given != usual:
                raise UsageError("namespaces get ids in OpenShift alone", where=flag, advice="add --openshift")
        return None
    from podward.policy.scc.allocation import ranges_of

    return ranges_of(args.namespace_ranges, args.namespace_levels)
