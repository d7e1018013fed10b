"""`podward port-forward`: make ports of a kept Pod ports of this machine."""

from __future__ import annotations

import argparse
import sys

from podward.cli import terminal
from podward.errors import UsageError
from podward.runtime.state import State, state_root

SUMMARY = "make ports of a kept Pod ports of this machine"
EXAMPLES = (
    ("the Pod's port 80 as port 8080 here, until Ctrl-C", "podward port-forward web 8080:80"),
    ("the same number on both sides", "podward port-forward web 8080"),
    ("any free port", "podward port-forward web :80"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("pod", metavar="POD", help="the id or the name of a kept Pod (see `podward ps`)")
    add(
        "ports",
        nargs="+",
        type=_pair,
        metavar="[LOCAL:]REMOTE",
        help="a port here and the Pod's; without one here, any",
    )
    add("--address", default="localhost", help="where to listen: localhost (the default), or addresses with commas")


def run(args: argparse.Namespace) -> int:
    """Forward connections until a signal comes."""
    from podward.runtime import kept
    from podward.runtime.port_forward import Forwarder

    pod = kept.the_one(State(state_root()), args.pod)
    if not kept.living(pod.record):
        raise UsageError(f"nothing runs in Pod {args.pod}", advice=f"it is {pod.status}")
    forwarder = Forwarder(pod, tuple(args.address.split(",")), terminal.say)
    for local, remote in args.ports:
        for address, port in forwarder.listen(local, remote):
            shown = f"[{address}]" if ":" in address else address
            print(f"Forwarding from {shown}:{port} -> {remote}")
    sys.stdout.flush()
    return forwarder.run()


def _pair(text: str) -> tuple[int, int]:
    local, colon, remote = text.rpartition(":")
    numbers = [local or "0", remote] if colon else [remote, remote]
    if not all(number.isascii() and number.isdigit() and int(number) < 65536 for number in numbers) or not int(remote):
        raise argparse.ArgumentTypeError(f"not a pair of ports: {text}")
    return int(numbers[0]), int(numbers[1])
