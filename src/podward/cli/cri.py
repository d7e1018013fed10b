"""`podward cri`: this machine's containers for a kubelet, crictl and every other client of the CRI."""

from __future__ import annotations

import argparse
import os
import sys

from podward.cli import image_options, node_options

_LAST_PORT = 65535
SUMMARY = "a container runtime for a kubelet and crictl: the CRI (v1) on a unix socket"

EXAMPLES = (
    ("serve, and use it from another terminal", "podward cri --listen unix:///run/podward/cri.sock"),
    ("with runc, and a network of your own", "podward cri --default-runtime runc --cni-conf-dir ./net.d"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: CRI-O's names, or the kubelet's, where they mean the same."""
    add = parser.add_argument
    add(
        "--listen",
        default=_default_socket(),
        metavar="SOCKET",
        help="the unix socket to serve on, made of mode 0600 (%(default)s)",
    )
    add("--data-dir", default="", metavar="DIR", help="all state (default: $PODWARD_ROOT, or /var/lib/podward)")
    add(
        "--default-runtime",
        choices=("auto", "crun", "runc", "runsc"),
        default="auto",
        help="the OCI runtime of Pods without a runtime handler (default: crun or runc, whichever works here)",
    )
    node_options.add_runtime_defaults(parser)
    add(
        "--cni-conf-dir",
        default="/etc/cni/net.d",
        metavar="DIR",
        help="configurations of networks; not read without root (%(default)s)",
    )
    image_options.add_registries(parser)
    add("--authfile", metavar="FILE", default="", help="registry credentials (default: skopeo's)")
    add(
        "--pinned-images",
        action="append",
        default=[],
        metavar="NAME",
        help="an image, with * for anything, that the kubelet is to leave alone; repeatable",
    )
    add(
        "--cgroup-manager",
        choices=("cgroupfs",),
        default="cgroupfs",
        help="who makes cgroups; a kubelet must have the same as its cgroupDriver (%(default)s)",
    )
    add("--stream-address", default="127.0.0.1", metavar="IP", help="where exec, attach and port-forward are streamed")
    add("--stream-port", type=_port, default=0, metavar="PORT", help="and the port; 0: any free one (%(default)s)")
    add("--enable-nri", action="store_true", help="let plugins of the Node Resource Interface connect")
    add(
        "--nri-listen",
        default="/var/run/nri/nri.sock",
        metavar="SOCKET",
        help="the unix socket that they connect to, made of mode 0600 (%(default)s)",
    )
    add(
        "--log-level",
        choices=("error", "warn", "info", "debug"),
        default="warn",
        help="what is written to standard error; warn: refused calls, debug: all calls (%(default)s)",
    )


def _default_socket() -> str:
    """In root's directory, or in the user's own."""
    if os.geteuid() == 0:
        return "unix:///run/podward/cri.sock"
    from podward.runtime.rootless import directories  # only a user needs it

    return f"unix://{directories.runtime_path(os.geteuid())}/cri.sock"


def _port(text: str) -> int:
    """A port; 0 is any."""
    if not text.isascii() or not text.isdigit() or int(text[:6]) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"this is no port: {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    if args.data_dir:
        os.environ["PODWARD_ROOT"] = os.path.abspath(args.data_dir)
    from podward.cri import listening, process
    from podward.cri.options import Options
    from podward.runtime.images.pulling import Registries
    from podward.runtime.network.configuration import owns_network
    from podward.runtime.service.runtime_service import ServiceOptions
    from podward.runtime.state import state_root

    options = Options(
        listening.path_of(args.listen),
        state_root(),
        ServiceOptions(
            args.default_runtime,
            args.runtime_defaults,
            args.cni_conf_dir if owns_network() else "",
            Registries(args.registries_conf, args.registry_config_dir, args.authfile),
            tuple(args.pinned_images),
            nri=args.enable_nri,
        ),
        args.stream_address,
        args.stream_port,
        args.log_level,
        listening.path_of(args.nri_listen) if args.enable_nri else "",
    )

    def say(path: str) -> None:
        print(f"podward: cri listens on unix://{path}")
        sys.stdout.flush()

    return process.run(options, say)
