"""`podward rm`: end kept Pods and remove what they left."""

from __future__ import annotations

import argparse

from podward.errors import UsageError
from podward.runtime import kept
from podward.runtime.state import State, state_root

SUMMARY = "end kept Pods and remove what they left"
EXAMPLES = (
    ("one Pod, by id or name", "podward rm implicit-groups"),
    ("all of them", "podward rm --all"),
    ("without waiting for hooks and grace periods", "podward rm --now --all"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("pods", nargs="*", metavar="POD", help="the id or the name of a kept Pod (see `podward ps`)")
    parser.add_argument("--all", action="store_true", help="every kept Pod")
    parser.add_argument("--now", action="store_true", help="kill at once: no preStop hooks, no grace period")


def run(args: argparse.Namespace) -> int:
    """Remove the Pods and print their ids. Nothing is removed if one of the names is not that of a kept Pod."""
    if bool(args.pods) == args.all:
        raise UsageError("name kept Pods, or say --all", advice="`podward ps` lists them")
    state = State(state_root())
    pods = kept.every(state)
    named = pods if args.all else tuple(pod for word in args.pods for pod in kept.find(pods, word))
    wanted = tuple({pod.id: pod for pod in named}.values())
    signals = kept.END_NOW if args.now else kept.END
    for pod in wanted:  # all are asked before one is waited for: grace periods pass together
        kept.ask_to_end(pod, *signals)
    for pod in wanted:
        kept.remove(state, pod)
        print(pod.id)
    return 0
