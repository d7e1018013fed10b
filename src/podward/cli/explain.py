"""`podward explain`: every security field of a Pod at every stage, who decided it, and what the process will be."""

from __future__ import annotations

import argparse
import os

from podward.cli import cluster_options, file_options, image_options, node_options, referenced
from podward.errors import UsageError

SUMMARY = "the table: every security field, its value at every stage, and why"
_LIVE = ("pod/", "pods/", "po/")
EXAMPLES = (
    ("explain a Pod before it runs", "podward explain pod.yaml"),
    ("what one field decides", "podward explain pod.yaml --field spec.containers[0].securityContext"),
    ("run it, and set what the kernel says beside it", "podward explain pod.yaml --verify"),
    ("may its process write there", "podward explain pod.yaml --access /data:rw"),
    ("a picture of it, each value linked to its source", "podward explain pod.yaml -o html > pod.html"),
    ("as an OpenShift cluster admits it: which SCC, and why", "podward explain pod.yaml --namespace namespace.yaml"),
    ("as far as it can be told without its image", "podward explain pod.yaml --image-user 101:101"),
    ("a Pod of a cluster, and who its processes are now", "podward explain pod/web -n shop --kubeconfig admin.conf"),
    ("everything, for a program", "podward explain deployment.yaml -o json"),
    ("who may do what, and which line says so", "podward explain access get pods --as alice -f rbac/"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    file_options.add(parser)
    referenced.add(parser)
    referenced.add_stand_in(parser)
    add("--kubeconfig", default="", metavar="FILE", help="where the API server is that has pod/NAME (else KUBECONFIG)")
    add("--running", metavar="POD", help="instead of a file: a kept Pod (see `podward ps`), as it is now")
    add("--field", action="append", default=[], metavar="PATH", help="only what this field decides; may be repeated")
    add(
        "--access",
        action="append",
        default=[],
        metavar="PATH:rwx",
        help="whether the processes may use this path so, and which rule says no; may be repeated",
    )
    add("--show-env", action="store_true", help="show the values of variables too: they may be secrets")
    add("--container", metavar="NAME", help="with --access: of this container only")
    add("--verify", action="store_true", help="run the Pod (as root) and add what the kernel says of its processes")
    image_options.add(parser)
    cluster_options.add(parser)
    node_options.add_runtime_defaults(parser)
    node_options.add(parser, "crun", "runc")
    add(
        "-o",
        "--output",
        choices=("table", "wide", "json", "yaml", "svg", "html"),
        default="table",
        help="the form of the answer; wide: the table with the defaults that nobody changed",
    )


def run(args: argparse.Namespace) -> int:
    """Explain every Pod of the manifests; 1 where something was refused, or observed other than predicted.

    2 where something could not be explained; the rest is.
    """
    from podward.cli import explaining

    if args.access and args.output not in {"table", "wide", "json"}:
        raise UsageError(f"--access has no {args.output} form", where="-o", advice="choose table or json")
    if args.container and not args.access:
        raise UsageError(
            "--container goes with --access", where="--container", advice="use --field to narrow the table"
        )
    if bool(args.running) == bool(args.files or args.filename):
        raise UsageError("say what to explain: FILE, -f FILE, or --running POD", advice="`podward ps` lists kept Pods")
    if not args.running and not _is_live(args):
        return explaining.run(args)
    if args.verify or args.access or args.field:
        raise UsageError("a Pod that runs is explained without --verify, --access and --field", where="--running")
    if cluster_options.wanted(args):
        raise UsageError("a Pod that runs was let in already", where="--running", advice="describe no cluster to it")
    if _is_live(args):
        from podward.cli import live_pods

        return live_pods.run(args)
    from podward.cli import inspecting

    return explaining.show(inspecting.explained(args.running, args), (), args)


def _is_live(args: argparse.Namespace) -> bool:
    """Whether a Pod of a cluster is meant, and no file: `pod/NAME`."""
    words = [*args.files, *args.filename]
    return len(words) == 1 and words[0].startswith(_LIVE) and not os.path.exists(words[0])
