"""`podward serve`: a whole cluster on this machine: API server, controllers, scheduler, nodes."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from podward.cli import apiserver, image_collection_options, node
from podward.cli.serving import passed_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.cli.serving.cluster import NodePlan, Plan

SUMMARY = "a whole cluster on this machine: API server, controllers, scheduler and nodes that run Pods"

EXAMPLES = (
    ("start it, and use it from another terminal", "podward serve --kubeconfig ./kubeconfig"),
    ("for a test: nothing is left of it at the end", "podward serve --ephemeral --kubeconfig ./kubeconfig"),
    ("as OpenShift, with two nodes", "podward serve --openshift --nodes 2 --kubeconfig ./kubeconfig"),
)

_OURS = frozenset(("--data-dir", "--kubeconfig"))
_OF_SERVER = _OURS | {"--bind-address", "--secure-port", "--controllers", "--authorization-mode", "--node-metrics"}
_OF_NODES = _OURS | {"--bootstrap-kubeconfig", "--hostname-override", "--port"}
_MOST_NODES = 50


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: its own, and those of the parts."""
    add = parser.add_argument
    add("--data-dir", default="", metavar="DIR", help="all state (default: $PODWARD_ROOT, or /var/lib/podward)")
    add("--ephemeral", action="store_true", help="state in a temporary directory, any free ports; gone at the end")
    add("--kubeconfig", default="", metavar="FILE", help="where to write how to reach it (in the data directory)")
    add("--nodes", type=_count, default=1, metavar="N", help="how many nodes (%(default)s)")
    add("--name", default="", metavar="NAME", help="the name of the node; with several, of the first (the host's)")
    add("--leave", action="store_true", help="let Pods run on when it ends; the next start finds them")
    add(
        "--bind-address",
        default="127.0.0.1",
        metavar="IP",
        help="where the API server listens; Pods are led there (%(default)s)",
    )
    add("--secure-port", type=_port, default=None, metavar="PORT", help="its port; 0: any free one (6443)")
    add(
        "--port",
        type=_port,
        default=None,
        metavar="PORT",
        help="where the first node serves logs, exec, …; 0: any free one (10250)",
    )
    add("--authorization-mode", default="Node,RBAC", metavar="MODES", help="authorizers (%(default)s)")
    add("--cluster-cidr", default="", metavar="CIDR", help="what nodes get their ranges of Pods' addresses of")
    passed_on.add(parser, apiserver.configure, "of the API server", _OF_SERVER)
    passed_on.add(parser, node.configure, "of the nodes", _OF_NODES)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:6]) > 65535:
        raise argparse.ArgumentTypeError(f"this is no port: {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text[:4]) <= _MOST_NODES:
        raise argparse.ArgumentTypeError(f"0 to {_MOST_NODES}, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    from podward.cli.serving.cluster import Cluster
    from podward.node.home import require_root

    if args.nodes:
        require_root()
    if not args.ephemeral:
        return Cluster(_plan(args, _data_dir(args))).run()
    from podward.cli.serving.temporary import directory

    with directory() as temporary:
        return Cluster(_plan(args, temporary)).run()


def _data_dir(args: argparse.Namespace) -> str:
    if args.data_dir:
        os.environ["PODWARD_ROOT"] = os.path.abspath(args.data_dir)
    from podward.runtime.state import state_root

    return state_root()


def _plan(args: argparse.Namespace, root: str) -> Plan:
    from podward.cli.serving.cluster import Plan
    from podward.cli.serving.identities import CONTROLLERS, SCHEDULER, file_of

    directory = os.path.join(root, "cluster")
    kubeconfig = os.path.abspath(args.kubeconfig) if args.kubeconfig else os.path.join(directory, "kubeconfig")
    port = args.secure_port if args.secure_port is not None else 0 if args.ephemeral else 6443
    server = passed_on.words(args, apiserver.configure, _OF_SERVER)
    controllers = [*_shared_words(args, directory), f"--volume-directory={directory}/volumes"]
    parts = os.path.join(directory, "parts")
    return Plan(
        directory,
        kubeconfig,
        (
            "apiserver", f"--data-dir={directory}", f"--kubeconfig={kubeconfig}", f"--secure-port={port}",
            f"--bind-address={args.bind_address}", f"--authorization-mode={args.authorization_mode}",
            "--controllers=*,serviceaccount,root-ca-cert-publisher,serviceaccount-token", "--node-metrics",
            *_restricted(server),
        ),
        (
            "controller-manager", f"--kubeconfig={file_of(parts, CONTROLLERS)}",
            f"--scheduler-kubeconfig={file_of(parts, SCHEDULER)}", *controllers,
        ),
        tuple(_nodes(args, root, parts)),
        service_range=args.service_cluster_ip_range or "",
        openshift=args.openshift,
        leave=args.leave,
        is_remote=bool(args.container_runtime_endpoint),
    )  # fmt: skip


def _restricted(words: list[str]) -> list[str]:
    """The words with NodeRestriction among the plugins that are on."""
    flag = "--enable-admission-plugins="
    given = next((word.removeprefix(flag) for word in words if word.startswith(flag)), "")
    plugins = ",".join(filter(None, (given, "NodeRestriction")))
    return [*(word for word in words if not word.startswith(flag)), flag + plugins]


def _shared_words(args: argparse.Namespace, directory: str) -> Iterator[str]:
    """What the controllers must know of the server's flags, and of this machine."""
    from podward.cli.serving import network

    if args.openshift:
        yield "--openshift"
    if args.service_cluster_ip_range:
        yield f"--service-cluster-ip-range={args.service_cluster_ip_range}"
    yield f"--cluster-cidr={args.cluster_cidr or network.pods_range(directory)}"
    yield f"--leader-elect={'false' if (args.store or 'sqlite') == 'sqlite' else 'true'}"


def _nodes(args: argparse.Namespace, root: str, parts: str) -> Iterator[NodePlan]:
    from podward.cli.serving import network
    from podward.cli.serving.cluster import NodePlan
    from podward.cli.serving.identities import file_of, of_node

    passed = passed_on.words(args, node.configure, _OF_NODES)
    if not any(word.startswith("--cluster-dns=") for word in passed):
        passed.append(f"--cluster-dns={network.cluster_dns(args.service_cluster_ip_range or '')}")
    if not any(word.startswith("--image-gc-") for word in passed):  # the disk is filled by others, too
        passed.append(f"{image_collection_options.HIGH}=100")
    first = (args.name or os.uname().nodename).lower()
    port = args.port if args.port is not None else 0 if args.ephemeral else 10250
    for index in range(args.nodes):
        name = f"{first}-{index + 1}" if index else first
        own = os.path.join(root, "cluster", "nodes", name) if index else root
        words = (
            "node", f"--kubeconfig={file_of(parts, of_node(name))}", f"--name={name}", f"--data-dir={own}",
            f"--port={port + index if port else 0}", *passed,
        )  # fmt: skip
        yield NodePlan(name, own, words)
