"""`podward apiserver`: a Kubernetes API server on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from ipaddress import ip_address

from podward.cli.admission_options import add_admission_options, configured_plugins, disabled_plugins
from podward.cli.audit_options import add_audit_options, audit_options
from podward.cli.authentication_options import add_authentication_options, authentication_options
from podward.cli.authorization_options import add_authorization_options, authorizers
from podward.cli.kubelet_options import add_kubelet_options, kubelet_options
from podward.cli.limit_options import add_limit_options, limits
from podward.cli.openshift_options import add_openshift_options, namespace_ranges
from podward.cli.store_options import add_store_options, store_options

_LAST_PORT = 65535
SUMMARY = "a Kubernetes API server on this machine: kubectl, Helm and client libraries just work"

EXAMPLES = (
    ("start it, and use it from another terminal", "podward apiserver --data-dir ./data --kubeconfig ./kubeconfig"),
    ("with callers of your own", "podward apiserver --data-dir ./data --token-auth-file tokens.csv"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: kube-apiserver's own names where they mean the same."""
    add_store_options(parser)
    add_audit_options(parser)
    add_limit_options(parser)
    add_openshift_options(parser)
    add_admission_options(parser)
    add = parser.add_argument
    add(
        "--bind-address",
        type=_address,
        default="127.0.0.1",
        metavar="IP",
        help="the address to listen on (%(default)s)",
    )
    add("--secure-port", type=_port, default=6443, metavar="PORT", help="the port; 0: any free one (%(default)s)")
    add("--kubeconfig", default="", metavar="FILE", help="write a kubeconfig here")
    add_authentication_options(parser)
    add_authorization_options(parser)
    add_kubelet_options(parser)
    add("--service-cluster-ip-range", default="10.0.0.0/24", metavar="CIDR", help="addresses of Services")
    add(
        "--controllers",
        type=_controllers,
        default="*",
        metavar="NAMES",
        help="controllers to run; *: those of certificates, -NAME: not this one; serviceaccount and "
        "root-ca-cert-publisher only where they are named (%(default)s)",
    )


def _address(text: str) -> str:
    """An address, no name: what a name means may change."""
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"this is no IP address: {text!r}") from None


def _port(text: str) -> int:
    """A port; 0 is any."""
    if not text.isascii() or not text.isdigit() or int(text[:6]) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"this is no port: {text!r}")
    return int(text)


def _controllers(text: str) -> frozenset[str]:
    """Names of controllers: whoever asks for one that there is not would wait for it in vain."""
    from podward.server.controllers.names import enabled, unknown

    if word := unknown(text):
        raise argparse.ArgumentTypeError(f"there is no controller {word!r}")
    return enabled(text)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    from podward.server import process

    options = process.Options(
        os.path.abspath(args.data_dir),
        args.bind_address,
        args.secure_port,
        authorizers(args),
        os.path.abspath(args.kubeconfig) if args.kubeconfig else "",
        store_options(args),
        authentication_options(args),
        args.service_cluster_ip_range,
        disabled_plugins(args),
        args.authorization_policy_file,
        audit=audit_options(args),
        limits=limits(args),
        event_ttl=args.event_ttl,
        controllers=args.controllers,
        admission=configured_plugins(args),
        namespace_ranges=namespace_ranges(args),
        nodes=kubelet_options(args),
    )

    def say(address: str) -> None:
        print(f"podward apiserver: ready at {address}")
        if options.kubeconfig:
            print(f"use it: kubectl --kubeconfig {args.kubeconfig} get namespaces")
        sys.stdout.flush()

    process.run(options, say)
    return 0
