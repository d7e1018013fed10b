"""The options by which `admit` and `explain` describe the cluster that a Pod is sent to, and who sends it."""

from __future__ import annotations

import argparse

OPENSHIFT, KUBERNETES = "openshift", "kubernetes"


def add(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add them; `default` is the cluster where none is named."""
    option = parser.add_argument
    option(
        "--cluster",
        choices=(OPENSHIFT, KUBERNETES),
        default=default,
        help="what admits Pods: SCCs and Pod Security, or Pod Security alone"
        + (f" (default: {default})" if default else " (default: openshift where one of the options below is given)"),
    )
    option(
        "--scc",
        action="append",
        default=[],
        metavar="FILE",
        help="SCCs beside OpenShift's own, or in place of those of the same name; RBAC and service accounts too",
    )
    option(
        "--namespace",
        action="append",
        default=[],
        metavar="FILE",
        help="the manifest of the Pod's namespace: its labels and annotations are what policies read",
    )
    option("--as", dest="user", metavar="USER", help="who creates the Pod (default: somebody without special rights)")
    option("--as-group", dest="groups", action="append", default=[], metavar="GROUP", help="a group of that user")


def wanted(args: argparse.Namespace) -> bool:
    """Whether any of them was given."""
    return bool(args.cluster or args.scc or args.namespace or args.user or args.groups)
