"""`podward logs`: print what a container of a kept Pod has printed."""

from __future__ import annotations

import argparse
import re
import time

from podward.errors import UsageError
from podward.runtime.state import State, state_root

SUMMARY = "print what a container of a kept Pod has printed"
EXAMPLES = (
    ("the first container's output", "podward logs web"),
    ("the last ten lines of another one, and what follows", "podward logs -f --tail 10 web -c side"),
    ("with the time of each line, of the last five minutes", "podward logs --timestamps --since 5m web"),
    ("why it was restarted", "podward logs --previous web"),
)
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("pod", metavar="POD", help="the id or the name of a kept Pod (see `podward ps`)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-c", "--container", default="", help="the container; else the first one")
    which.add_argument("--all-containers", action="store_true", help="every container, in the Pod's order")
    add("-f", "--follow", action="store_true", help="go on with what comes, until the container ends")
    add("-p", "--previous", action="store_true", help="the run before the current one")
    add("--tail", type=int, default=-1, metavar="N", help="only the last N lines")
    add("--since", type=_nanoseconds, metavar="DURATION", help="only what came within it, such as 30s, 5m or 1h30m")
    add("--timestamps", action="store_true", help="begin each line with the time at which it came")
    add("--prefix", action="store_true", help="begin each line with the names of its Pod and container")


def run(args: argparse.Namespace) -> int:
    """Print the logs."""
    if args.tail < -1:
        raise UsageError("it takes a number of lines, or -1 for all", where="--tail")
    from podward.runtime import kept
    from podward.runtime.cri_log import stamp
    from podward.runtime.kept_logs import Log, Selection, follow

    state = State(state_root())
    pod = kept.the_one(state, args.pod)
    wanted = pod.record.containers if args.all_containers else (kept.container(pod, args.container),)
    since = stamp(time.time_ns() - args.since) if args.since is not None else b""
    selection = Selection(args.tail, since, args.timestamps)
    logs = []
    for container in wanted:
        prefix = f"[pod/{pod.record.name}/{container.name}] " if args.prefix else ""
        logs.append(Log(pod, container, previous=args.previous, prefix=prefix))
    for log in logs:
        log.print_first(selection, 1)
    if args.follow:
        follow(state, pod, logs, selection, 1)
    return 0


def _nanoseconds(text: str) -> int:
    """A duration as Go reads it (`time.ParseDuration`), without a sign."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"not a duration: {text}")
    return sum(int(float(number) * _UNITS[unit]) for number, unit in parts)
