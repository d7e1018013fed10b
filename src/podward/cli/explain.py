"""`podward explain`: every security field of a Pod at every stage, who decided it, and what the process will be."""

from __future__ import annotations

import argparse

from podward.cli import cluster_options, node_options, referenced
from podward.errors import UsageError

SUMMARY = "the table: every security field, its value at every stage, and why"
EXAMPLES = (
    ("explain a Pod before it runs", "podward explain -f pod.yaml"),
    ("what one field decides", "podward explain -f pod.yaml --field spec.containers[0].securityContext"),
    ("run it, and set what the kernel says beside it", "podward explain -f pod.yaml --verify"),
    ("may its process write there", "podward explain -f pod.yaml --access /data:rw"),
    ("a picture of it, each value linked to its source", "podward explain -f pod.yaml -o html > pod.html"),
    ("as an OpenShift cluster admits it: which SCC, and why", "podward explain -f pod.yaml --namespace namespace.yaml"),
    ("everything, for a program", "podward explain -f deployment.yaml -o json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("-f", "--filename", action="append", default=[], metavar="FILE", help="a manifest, a directory, or -")
    referenced.add(parser)
    add("--running", metavar="POD", help="instead of a file: a kept Pod (see `podward ps`), as it is now")
    add("--field", metavar="PATH", help="only what this field of the manifest decides")
    add("--access", metavar="PATH:rwx", help="whether the processes may use this path so, and which rule says no")
    add("--show-env", action="store_true", help="show the values of variables too: they may be secrets")
    add("--container", metavar="NAME", help="with --access: of this container only")
    add("--verify", action="store_true", help="run the Pod (as root) and add what the kernel says of its processes")
    cluster_options.add(parser, None)
    node_options.add_runtime_defaults(parser)
    node_options.add(parser, "crun", "runc")
    add(
        "-o",
        "--output",
        choices=("table", "json", "yaml", "svg", "html"),
        default="table",
        help="the form of the answer",
    )


def run(args: argparse.Namespace) -> int:
    """Explain every Pod of the manifests; 1 where something was refused, or observed other than predicted."""
    from podward.cli import explaining, inputs

    if args.access and args.output not in {"table", "json"}:
        raise UsageError(f"--access has no {args.output} form", where="-o", advice="choose table or json")
    if args.container and not args.access:
        raise UsageError(
            "--container goes with --access", where="--container", advice="use --field to narrow the table"
        )
    if bool(args.running) == bool(args.filename):
        raise UsageError("say what to explain: -f FILE, or --running POD", advice="`podward ps` lists kept Pods")
    if not args.running:
        return explaining.run(inputs.documents(args.filename), args)
    if args.verify or args.access or args.field:
        raise UsageError("--running goes without --verify, --access and --field", where="--running")
    if cluster_options.wanted(args):
        raise UsageError("a Pod that runs was let in already", where="--running", advice="describe no cluster to it")
    from podward.cli import inspecting

    return explaining.show(inspecting.explained(args.running, args), None, args)
