"""`podward diff`: which effective values and system calls differ between two Pods, or between runtimes."""

from __future__ import annotations

import argparse

from podward.cli import file_options, image_options, node_options, referenced

SUMMARY = "which effective values and system calls differ: two manifests, or one under several runtimes' defaults"
EXAMPLES = (
    ("what a change of the manifest changes", "podward diff before.yaml after.yaml"),
    ("what another runtime changes", "podward diff pod.yaml --runtime-defaults containerd,cri-o,docker"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    file_options.add(parser, "two manifests, or one with several --runtime-defaults; a URL, or - for standard input")
    add(
        "--runtime-defaults",
        default="containerd",
        metavar="LIST",
        help="whose defaults to imitate, separated by commas: containerd, cri-o, docker (default: containerd)",
    )
    referenced.add(parser)
    referenced.add_stand_in(parser)
    image_options.add(parser)
    node_options.add(parser, "crun", "runc")
    add("-o", "--output", choices=("table", "json"), default="table", help="the form of the answer")


def run(args: argparse.Namespace) -> int:
    """As diff(1): 0 where nothing differs, 1 where something does, 2 for bad usage or input."""
    from podward.cli import comparing

    return comparing.run(args)
