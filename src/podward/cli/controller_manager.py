"""`podward controller-manager`: the controllers and the scheduler, for an API server that a kubeconfig leads to."""

from __future__ import annotations

import argparse
import sys

SUMMARY = "the controllers and the scheduler of a cluster: clients of the API server that a kubeconfig leads to"

EXAMPLES = (
    ("work for a server", "podward controller-manager --kubeconfig ./kubeconfig"),
    ("all but one", "podward controller-manager --kubeconfig ./kubeconfig --controllers '*,-cronjob-controller'"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: kube-controller-manager's own names where they mean the same."""
    add = parser.add_argument
    add("--kubeconfig", required=True, metavar="FILE", help="how to reach the server, and as whom")
    add(
        "--controllers",
        type=_controllers,
        default="*",
        metavar="NAMES",
        help="controllers to run; *: all, NAME: this one, -NAME: not this one (%(default)s)",
    )
    add(
        "--leader-elect",
        type=_boolean,
        default=True,
        metavar="true|false",
        help="with several for one server: work only while no other does (true)",
    )
    add("--cluster-cidr", default="", metavar="CIDR", help="what Nodes get their ranges of Pods' addresses of")
    add("--node-cidr-mask-size", type=int, default=24, metavar="BITS", help="how large these are (%(default)s)")
    add("--service-cluster-ip-range", default="10.0.0.0/24", metavar="CIDR", help="addresses of Services")
    add(
        "--node-monitor-grace-period",
        type=float,
        default=50.0,
        metavar="SECONDS",
        help="a Node that has not been heard of for so long is unknown (%(default)s)",
    )
    add(
        "--terminated-pod-gc-threshold",
        type=int,
        default=12500,
        metavar="N",
        help="how many ended Pods stay (%(default)s)",
    )
    add(
        "--volume-directory",
        default="",
        metavar="DIR",
        help="have a default StorageClass, whose volumes are directories here",
    )
    add(
        "--scheduler-kubeconfig",
        default="",
        metavar="FILE",
        help="as whom the scheduler calls (as the controllers do)",
    )
    add("--openshift", action="store_true", help="run OpenShift's controllers, too: of DeploymentConfigs")


def _controllers(text: str) -> str:
    from podward.controllers.table import unknown

    if word := unknown(text):
        raise argparse.ArgumentTypeError(f"there is no controller {word!r}")
    return text


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise argparse.ArgumentTypeError("it is true or false")
    return text == "true"


def run(args: argparse.Namespace) -> int:
    """Work until a signal."""
    from podward.controllers import process
    from podward.controllers.context import ControllerOptions
    from podward.controllers.table import enabled

    options = process.Options(
        args.kubeconfig,
        enabled(args.controllers),
        ControllerOptions(
            cluster_cidr=args.cluster_cidr,
            node_cidr_mask_size=args.node_cidr_mask_size,
            service_range=args.service_cluster_ip_range,
            node_monitor_grace_period=args.node_monitor_grace_period,
            terminated_pod_gc_threshold=args.terminated_pod_gc_threshold,
            volume_directory=args.volume_directory,
            openshift=args.openshift,
            scheduler_kubeconfig=args.scheduler_kubeconfig,
        ),
        leader_elect=args.leader_elect,
    )

    def say() -> None:
        print("podward controller-manager: at work")
        sys.stdout.flush()

    return process.run(options, say)
