"""`podward explain access`: may somebody do something, and which authorizer and which line decide."""

from __future__ import annotations

import argparse

from podward.errors import UsageError

SUMMARY = "who may do what, and why: the authorizer and the line of a role or policy that decide"
EXAMPLES = (
    ("may she, by these roles and bindings", "podward explain access get pods -n shop --as alice -f rbac/"),
    ("a subresource of one object", "podward explain access create pods/web -n shop --subresource exec --as alice"),
    ("a path that is no resource", "podward explain access get /metrics --as bob --as-group ops -f rbac.yaml"),
    ("by the roles of a running server", "podward explain access list secrets --as alice --kubeconfig ./kubeconfig"),
    ("a request from an audit log", "podward explain access --event event.json -f rbac/"),
    ("for a program", "podward explain access get pods --as alice -f rbac/ -o json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("verb", nargs="?", default="", metavar="VERB", help="get, list, watch, create, update, patch, delete, …")
    add("what", nargs="?", default="", metavar="RESOURCE[/NAME]", help="a resource, or a path such as /metrics")
    add(
        "--as",
        dest="user",
        default="",
        metavar="USER",
        help="who asks; a service account: system:serviceaccount:NS:NAME",
    )
    add("--as-group", dest="groups", action="append", default=[], metavar="GROUP", help="a group of that user")
    add("-n", "--namespace", default="", metavar="NAMESPACE", help="(default: default)")
    add("-A", "--all-namespaces", action="store_true", help="in all of them, as list and watch may")
    add("--subresource", default="", metavar="NAME", help="such as log, exec, status, scale")
    add("--field-selector", default="", metavar="SELECTOR", help="of a list, a watch or a deletecollection")
    add("--label-selector", default="", metavar="SELECTOR", help="the same by labels")
    add("-f", "--filename", action="append", default=[], metavar="FILE", help="roles and bindings, and Pods for Node")
    add("--kubeconfig", default="", metavar="FILE", help="instead of files: ask the server that this leads to")
    add(
        "--event",
        default="",
        metavar="FILE",
        help="instead of a question: an event of an audit log; - is standard input",
    )
    add(
        "--authorization-mode",
        default="RBAC",
        metavar="MODES",
        help="Node, RBAC, ABAC, AlwaysAllow, AlwaysDeny (%(default)s)",
    )
    add("--authorization-policy-file", default="", metavar="FILE", help="ABAC's policies, one a line")
    add("--token-auth-file", default="", metavar="FILE", help="with --event: the server's static tokens")
    add("--enable-admission-plugins", default="", metavar="NAMES", help="plugins beside the default ones")
    add("--disable-admission-plugins", default="", metavar="NAMES", help="plugins that are left out")
    add("--no-default-roles", action="store_true", help="know the written roles alone, not those of every server")
    add("-o", "--output", choices=("table", "json", "yaml"), default="table", help="the form of the answer")


def run(args: argparse.Namespace) -> int:
    """Explain it; 0 where it is allowed, 1 where it is not."""
    if bool(args.event) == bool(args.verb):
        raise UsageError(
            "say what is asked, VERB RESOURCE, or give a recorded request with --event",
            advice="`podward explain access get pods --as alice -f rbac.yaml`",
        )
    if args.verb and not args.what:
        raise UsageError(f"{args.verb} what? name a resource or a path", where=args.verb)
    if args.verb and not args.user:
        raise UsageError("say who asks", where="--as", advice="--as USER, and --as-group GROUP for each group")
    if args.kubeconfig and args.filename:
        raise UsageError("roles are those of files or of a server, not both", where="--kubeconfig")
    from podward.cli import explaining_access

    return explaining_access.run(args)
