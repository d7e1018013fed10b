"""The options by which `admit` and `explain` describe the cluster that a Pod is sent to, and who sends it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.errors import UsageError

if TYPE_CHECKING:
    from podward.api.caller import User
    from podward.cli.companions import Companions

OPENSHIFT, KUBERNETES = "openshift", "kubernetes"


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    option = parser.add_argument
    option(
        "--cluster",
        choices=(OPENSHIFT, KUBERNETES),
        help="what admits Pods: SCCs and Pod Security, or Pod Security alone (default: openshift where an SCC, another "
        "object of OpenShift's, or a namespace with its annotations is described, else kubernetes)",
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


def again(args: argparse.Namespace, cluster: str) -> str:
    """The options as they are typed once more in a command that is suggested; `cluster` is the one that was chosen."""
    from podward.render.next_command import quoted

    words = [("--cluster", cluster), *(("--scc", name) for name in args.scc)]
    words += [("--namespace", name) for name in args.namespace]
    words += [("--as", args.user)] if args.user else []
    words += [("--as-group", name) for name in args.groups]
    return " ".join(f"{option} {quoted(value)}" for option, value in words)


def for_check(args: argparse.Namespace, namespace: str, beside: Companions) -> str:
    """The words by which `check` asks about Pods in this namespace, as it was described, of the same user."""
    from podward.render.next_command import quoted
    from podward.schema.workload import DEFAULT_NAMESPACE  # options are defined at every start

    words = [quoted(name) for name in (*beside.with_policies, *args.namespace)]
    words += [f"-n {quoted(namespace)}"] if namespace != DEFAULT_NAMESPACE else []
    words += [f"--as {quoted(args.user)}"] if args.user else []
    return " ".join((*words, *(f"--as-group {quoted(name)}" for name in args.groups)))


def wanted(args: argparse.Namespace) -> bool:
    """Whether any of them was given."""
    return bool(args.cluster or args.scc or args.namespace or args.user or args.groups)


def caller_named(name: str | None, groups: tuple[str, ...]) -> User | None:
    """The user of `--as` and `--as-group`; None where neither is given."""
    if name:
        from podward.access.identities import impersonated  # options are defined at every start

        return impersonated(name, groups)
    if groups:
        raise UsageError("a group needs a user", where="--as-group", advice="add --as USER")
    return None
