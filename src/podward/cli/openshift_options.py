"""The flags with which an API server is OpenShift's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from podward.policy.scc.allocation import Ranges


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
        default="1000000000-1999999999/10000",
        metavar="UIDS",
        help="with --openshift, the ids of namespaces: first, last, how many each gets (%(default)s)",
    )
    add(
        "--namespace-levels",
        default="s0:/2",
        metavar="LEVELS",
        help="with --openshift, their SELinux levels: a prefix, and how many categories (%(default)s)",
    )


def namespace_ranges(args: argparse.Namespace) -> Ranges | None:
    """What namespaces get; None for a server that is none of OpenShift's. Raises UsageError."""
    if not args.openshift:
        return None
    from podward.policy.scc.allocation import ranges_of

    return ranges_of(args.namespace_ranges, args.namespace_levels)
