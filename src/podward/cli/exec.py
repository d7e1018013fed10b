"""`podward exec`: run a program in a container of a kept Pod."""

from __future__ import annotations

import argparse
import os

from podward.cli import terminal
from podward.cli.parser import Parser
from podward.errors import UsageError
from podward.runtime.state import State, state_root

SUMMARY = "run a program in a container of a kept Pod, as the container itself does"
EXAMPLES = (
    ("who the container is", "podward exec web -- id"),
    ("another container than the first", "podward exec web -c side -- ls -l /data"),
    ("a shell", "podward exec -it web -- sh"),
    ("write a file", "podward exec -i web -- tee /tmp/list <list"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("pod", metavar="POD", help="the id or the name of a kept Pod (see `podward ps`)")
    add("-c", "--container", default="", help="the container; else the first one, or what the Pod's annotation says")
    add("-i", "--stdin", action="store_true", help="pass standard input on")
    add("-t", "--tty", action="store_true", help="give the program a terminal; takes -i, and a terminal of ours")
    if isinstance(parser, Parser):
        parser.usage = "podward exec [-c CONTAINER] [-i] [-t] POD -- COMMAND [ARGUMENT …]"
        parser.keep_words_after_dashes("command")


def run(args: argparse.Namespace) -> int:
    """Run it; returns its exit code, 127 where there is no such program, 126 where it may not be executed."""
    if not args.command:
        raise UsageError("no command", where="exec", advice="write it behind two dashes: `podward exec POD -- COMMAND`")
    from podward.runtime import kept, kept_exec

    state = State(state_root())
    pod = kept.the_one(state, args.pod)
    container = kept.running_container(pod, args.container)
    has_terminal = args.tty and args.stdin and os.isatty(0)
    if args.tty and not has_terminal:
        why = "standard input is no terminal" if args.stdin else "it takes -i too"
        terminal.say(f"no terminal for the program: {why}")
    if has_terminal and pod.record.runtime.kind == "runsc":
        raise UsageError("programs in gVisor's sandbox have no terminal here", where="-t", advice="leave -t out")
    program = kept_exec.Program(state, pod, container, args.command)
    return program.run_on_terminal() if has_terminal else program.run(stdin=0 if args.stdin else -1)
