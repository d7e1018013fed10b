"""`podward run`: a Pod becomes processes here, now, under this machine's kernel."""

from __future__ import annotations

import argparse

from podward.cli import file_options, node_options, referenced

SUMMARY = "run a Pod here, now; print its output; exit with its code"
EXAMPLES = (
    ("run a Pod", "podward run pod.yaml"),
    ("show what was predicted of its processes beside what the kernel says", "podward run --verify pod.yaml"),
    ("run the Pod of a Deployment as CRI-O would", "podward run --runtime-defaults cri-o deployment.yaml"),
    ("leave it running, look, and end it", "podward run --keep pod.yaml; podward ps; podward rm --all"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    file_options.add(parser)
    referenced.add(parser)
    referenced.add_stand_in(parser)
    add("--verify", action="store_true", help="print predicted against observed for every container's process")
    add("--keep", action="store_true", help="come back when the Pod runs; `podward rm` ends it")
    add(
        "--network",
        action="store_true",
        help="give each Pod a network of its own, where CNI plugins are; else loopback",
    )
    add(
        "--cni-conf-dir",
        default="/etc/cni/net.d",
        metavar="DIR",
        help="with --network: where networks are configured (default: /etc/cni/net.d); without one, our own bridge",
    )
    add(
        "--restart",
        choices=("Always", "OnFailure", "Never"),
        default="",
        help="override restartPolicy; unset in manifest and here, containers are not restarted",
    )
    node_options.add_runtime_defaults(parser)
    node_options.add(parser, "crun", "runc", "runsc")
    add("-o", "--output", choices=("text", "json"), default="text", help="json: one report at the end, on stdout")


def run(args: argparse.Namespace) -> int:
    """Run every Pod of the manifests at once; returns the exit code of the first that failed, or did not come up.

    What could not be read is told, and the other Pods run.
    """
    from podward.cli import given_pods, terminal

    given = given_pods.every_pod(file_options.named(args), args.in_namespace)
    for error in given.errors:
        terminal.complain(error)
    code = max((error.exit_code for error in given.errors), default=0)
    if not given.pods:
        return code
    if args.keep:
        from podward.cli import keeping  # only this needs it, and start-up counts

        return keeping.keep(given, args) or code
    from podward.cli import running

    return running.run(given, args) or code
