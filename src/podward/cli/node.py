"""`podward node`: this machine as a node of a cluster, as a kubelet makes it one."""

from __future__ import annotations

import argparse
import os
import re
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

from podward.cli import image_collection_options, image_options, node_options

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_LAST_PORT = 65535
_FEWEST_FILES = 2
_NO_CONFIGURATIONS = "node/net.d"
"""Where nobody puts a configuration of a network: the node has its own."""
_TAINT = re.compile(r"(?P<key>[^=:]+)(?:=(?P<value>[^:]*))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
SUMMARY = "a node of a cluster: it runs the Pods that are bound to it, as a kubelet does"

EXAMPLES = (
    ("join a cluster with a kubeconfig of the node's own", "podward node --kubeconfig node.kubeconfig --name n1"),
    (
        "have its Pods run by a CRI runtime of the machine",
        "podward node --kubeconfig F --container-runtime-endpoint unix:///run/containerd/containerd.sock",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: the kubelet's names where they mean the same."""
    add = parser.add_argument
    add("--kubeconfig", required=True, metavar="FILE", help="the server, and who the node is: system:node:NAME")
    add(
        "--bootstrap-kubeconfig",
        default="",
        metavar="FILE",
        help="where there is no --kubeconfig yet: who may ask for the node's certificate, with which it is written",
    )
    add("--hostname-override", "--name", dest="name", default="", metavar="NAME", help="the node's name (the host's)")
    add("--data-dir", default="", metavar="DIR", help="all state (default: $PODWARD_ROOT, or /var/lib/podward)")
    add(
        "--container-runtime-endpoint",
        default="",
        metavar="SOCKET",
        help="the unix socket of a CRI runtime (default: the node is its own)",
    )
    add("--pod-manifest-path", default="", metavar="DIR", help="a directory of static Pods")
    _add_identity(parser)
    _add_pods(parser)
    _add_runtime(parser)


def _add_identity(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--node-ip", type=_address, default=None, metavar="IP", help="the node's address (default: that of its route)")
    add("--port", type=_port, default=10250, metavar="PORT", help="where the node serves logs, exec, … (%(default)s)")
    add("--register-node", type=_boolean, default=True, metavar="BOOL", help="make the Node object (%(default)s)")
    add(
        "--register-with-taints",
        type=_taints,
        default=(),
        metavar="TAINTS",
        help="taints of a new Node: KEY=VALUE:EFFECT, separated by commas",
    )
    add("--node-labels", type=_labels, default={}, metavar="LABELS", help="labels: KEY=VALUE, separated by commas")
    add("--max-pods", type=_count, default=110, metavar="N", help="how many Pods it takes (%(default)s)")
    add(
        "--node-status-update-frequency",
        type=_duration,
        default=10.0,
        metavar="TIME",
        help="how often its status is looked at (10s)",
    )


def _add_pods(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--cluster-dns", type=_addresses, default=(), metavar="IPS", help="name servers of Pods")
    add("--cluster-domain", default="cluster.local", metavar="NAME", help="the cluster's domain (%(default)s)")
    add("--pod-cidr", default="", metavar="CIDR", help="addresses of its Pods")
    add(
        "--pod-max-pids",
        type=int,
        default=-1,
        metavar="N",
        help="how many processes and threads a Pod may have (-1: as many as the machine)",
    )
    add("--seccomp-default", action="store_true", help="RuntimeDefault where a Pod has no seccomp profile")
    add("--seccomp-root", default="/var/lib/kubelet/seccomp", metavar="DIR", help="Localhost profiles (%(default)s)")
    add(
        "--allowed-unsafe-sysctls",
        default="",
        metavar="NAMES",
        help="sysctls beyond the safe ones: name or prefix*, separated by commas",
    )


def _add_runtime(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--default-runtime",
        choices=("auto", "crun", "runc", "runsc"),
        default="auto",
        help="the OCI runtime of Pods without a runtime handler (default: crun or runc, whichever works here)",
    )
    node_options.add_runtime_defaults(parser)
    add("--cni-conf-dir", default="", metavar="DIR", help="CNI configurations (default: a network of Podward's own)")
    image_options.add_registries(parser)
    image_collection_options.add(parser)
    add("--authfile", metavar="FILE", default="", help="registry credentials (default: skopeo's)")
    add(
        "--container-log-max-size",
        type=_size,
        default="10Mi",
        metavar="SIZE",
        help="a container's log that is larger makes way for a new one (%(default)s)",
    )
    add(
        "--container-log-max-files",
        type=_files,
        default=5,
        metavar="N",
        help="files of a container's log that are kept, at least 2 (%(default)s)",
    )


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"this is no IP address: {text!r}") from None


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(_address(word) for word in text.split(",") if word)


def _port(text: str) -> int:
    """A port; 0 is any."""
    if not text.isascii() or not text.isdigit() or int(text[:6]) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"this is no port: {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"this is no number: {text!r}")
    return int(text)


def _size(text: str) -> int:
    """Bytes."""
    from podward.api.quantity import QuantityError, parse

    try:
        return parse(text).value
    except QuantityError:
        raise argparse.ArgumentTypeError(f"this is no size such as 10Mi: {text!r}") from None


def _files(text: str) -> int:
    if _count(text) < _FEWEST_FILES:
        raise argparse.ArgumentTypeError(f"at least {_FEWEST_FILES}, not {text}")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"true or false, not {text!r}")
    return text == "true"


def _duration(text: str) -> float:
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"this is no time such as 10s: {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def _labels(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.split(",") if word]
    if any(not equal for _, equal, _ in pairs):
        raise argparse.ArgumentTypeError(f"these are no labels KEY=VALUE: {text!r}")
    return {key: value for key, _, value in pairs}


def _taints(text: str) -> tuple[JsonObject, ...]:
    found: list[JsonObject] = []
    for word in filter(None, text.split(",")):
        taint = _TAINT.fullmatch(word)
        if taint is None:
            raise argparse.ArgumentTypeError(f"this is no taint KEY=VALUE:EFFECT: {word!r}")
        found.append({name: part for name, part in taint.groupdict().items() if part is not None})
    return tuple(found)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    if args.data_dir:
        os.environ["PODWARD_ROOT"] = os.path.abspath(args.data_dir)
    from podward.node import process
    from podward.node.options import Options
    from podward.runtime.images.pulling import Registries
    from podward.runtime.network.configuration import owns_network
    from podward.runtime.service.runtime_service import ServiceOptions
    from podward.runtime.state import state_root

    root = state_root()
    options = Options(
        kubeconfig=os.path.abspath(args.kubeconfig),
        root=root,
        name=(args.name or os.uname().nodename).lower(),
        service=ServiceOptions(
            args.default_runtime,
            args.runtime_defaults,
            os.path.abspath(args.cni_conf_dir or f"{root}/{_NO_CONFIGURATIONS}") if owns_network() else "",
            Registries(args.registries_conf, args.registry_config_dir, args.authfile),
        ),
        bootstrap_kubeconfig=os.path.abspath(args.bootstrap_kubeconfig) if args.bootstrap_kubeconfig else "",
        endpoint=args.container_runtime_endpoint.removeprefix("unix://"),
        manifest_path=os.path.abspath(args.pod_manifest_path) if args.pod_manifest_path else "",
        address=args.node_ip or "",
        port=args.port,
        labels=args.node_labels,
        taints=args.register_with_taints,
        register=args.register_node,
        max_pods=args.max_pods,
        pod_max_pids=args.pod_max_pids,
        cluster_dns=args.cluster_dns,
        cluster_domain=args.cluster_domain,
        pod_cidr=args.pod_cidr,
        log_size=args.container_log_max_size,
        log_files=args.container_log_max_files,
        images=image_collection_options.thresholds(args),
        status_seconds=args.node_status_update_frequency,
        seccomp_default=args.seccomp_default,
        seccomp_root=args.seccomp_root,
        allowed_unsafe_sysctls=tuple(filter(None, args.allowed_unsafe_sysctls.split(","))),
    )

    def say(name: str) -> None:
        print(f"podward node: {name} is registered")
        sys.stdout.flush()

    return process.run(options, say)
