"""Flags of an API server about how it reaches nodes, in kube-apiserver's words."""

from __future__ import annotations

import argparse
import os

from podward.errors import UsageError
from podward.server.proxying.options import ADDRESS_TYPES, NodeOptions


def add_kubelet_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add(
        "--kubelet-certificate-authority",
        default="",
        metavar="FILE",
        help="whom to trust of nodes' serving certificates (the server's own authority)",
    )
    add(
        "--kubelet-insecure-tls",
        action="store_true",
        help="do not verify nodes' serving certificates: for kubelets that sign their own",
    )
    add("--kubelet-client-certificate", default="", metavar="FILE", help="the certificate to show to nodes (one made)")
    add("--kubelet-client-key", default="", metavar="FILE", help="its key")
    add(
        "--kubelet-preferred-address-types",
        default=",".join(ADDRESS_TYPES),
        metavar="TYPES",
        help="which address of a node to use, in this order (%(default)s)",
    )
    add("--node-metrics", action="store_true", help="serve metrics.k8s.io, for kubectl top, from what nodes tell")


def kubelet_options(args: argparse.Namespace) -> NodeOptions:
    """What the flags say. Raises UsageError."""
    types = [word.strip() for word in args.kubelet_preferred_address_types.split(",")]
    if unknown := [word for word in types if word not in ADDRESS_TYPES]:
        raise UsageError(
            f"there is no type of addresses {unknown[0]!r}",
            where="--kubelet-preferred-address-types",
            advice=f"choose of {', '.join(ADDRESS_TYPES)}",
        )
    if bool(args.kubelet_client_certificate) != bool(args.kubelet_client_key):
        raise UsageError(
            "a certificate and its key belong together",
            where="--kubelet-client-certificate",
            advice="give --kubelet-client-certificate and --kubelet-client-key, or neither",
        )
    if args.kubelet_insecure_tls and args.kubelet_certificate_authority:
        raise UsageError(
            "who does not verify needs no authority",
            where="--kubelet-insecure-tls",
            advice="give one of --kubelet-insecure-tls and --kubelet-certificate-authority",
        )
    return NodeOptions(
        _absolute(args.kubelet_certificate_authority),
        _absolute(args.kubelet_client_certificate),
        _absolute(args.kubelet_client_key),
        args.kubelet_insecure_tls,
        tuple(types),
        args.node_metrics,
    )


def _absolute(path: str) -> str:
    return os.path.abspath(path) if path else ""
