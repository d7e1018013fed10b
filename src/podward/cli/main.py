"""`podward`: find the command, parse its arguments, run it, and turn errors into exit codes.

Start-up time matters, so only the command that is run is imported. The table below has the names and descriptions of
all commands.

Exit codes: 0 done or allowed, 1 refused or failed, 2 bad usage or bad input, 130 interrupted, 141 the reader of the
output has gone away. `podward run` also returns the exit code of its container.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from podward import __version__
from podward.cli import process_exit, terminal
from podward.errors import PodwardError, UsageError

if TYPE_CHECKING:  # a Protocol costs start-up time to make, and only mypy reads it
    from podward.cli.parser import Command

COMMANDS = {
    "run": ("podward.cli.run", "run a Pod here, now; print its output; exit with its code"),
    "explain": ("podward.cli.explain", "the table: every security field, its value at every stage, and why"),
    "admit": ("podward.cli.admit", "what the API server would store of a Pod, or why it refuses it"),
    "check": (
        "podward.cli.check",
        "gate manifests in CI: what policies refuse, where, and the smallest change that satisfies them",
    ),
    "rule": ("podward.cli.rule", "explain a rule of `check`: what it is about, why, and the cure"),
    "diff": (
        "podward.cli.diff",
        "which effective values and system calls differ: two manifests, or one under several runtimes' defaults",
    ),
    "ps": ("podward.cli.ps", "list the Pods that were kept"),
    "rm": ("podward.cli.rm", "end kept Pods and remove what they left"),
    "exec": ("podward.cli.exec", "run a program in a container of a kept Pod, as the container itself does"),
    "logs": ("podward.cli.logs", "print what a container of a kept Pod has printed"),
    "port-forward": ("podward.cli.port_forward", "make ports of a kept Pod ports of this machine"),
    "serve": (
        "podward.cli.serve",
        "a whole cluster on this machine: API server, controllers, scheduler and nodes that run Pods",
    ),
    "apiserver": (
        "podward.cli.apiserver",
        "a Kubernetes API server on this machine: kubectl, Helm and client libraries just work",
    ),
    "controller-manager": (
        "podward.cli.controller_manager",
        "the controllers and the scheduler of a cluster: clients of the API server that a kubeconfig leads to",
    ),
    "node": ("podward.cli.node", "a node of a cluster: it runs the Pods that are bound to it, as a kubelet does"),
    "cri": ("podward.cli.cri", "a container runtime for a kubelet and crictl: the CRI (v1) on a unix socket"),
    "image": ("podward.cli.image", "import, build, pull, list and remove local images"),
    "rotate-key": ("podward.cli.rotate_key", "encrypt an API server's Secrets with a new key, and drop the old one"),
    "batch": ("podward.cli.batch", "answer many questions: JSON lines in, JSON lines out"),
    "doctor": ("podward.cli.doctor", "what this machine's kernel and tools can enforce, and what to do about the rest"),
    "completion": ("podward.cli.completion", "print a shell's completion script"),
}
"""The module and the description of each command, in the order of the help. A test compares it with `SUMMARY`."""

IN_NAMESPACE = frozenset(
    ("run", "ps", "rm", "exec", "logs", "port-forward", "image", "explain", "diff", "doctor", "cri")
)
"""Commands that do for root alone what they do: another user is led into a user namespace of his own first."""
SUBJECTS = {("explain", "access"): "podward.cli.explain_access"}
"""Commands of two words: the module of each. The second word counts where there is no file of that name."""
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: list[str] | None = None) -> int:
    """Run the command in `argv` (None for the process's own arguments); returns the exit code."""
    gc.disable()  # imports make little garbage, and collecting it costs 2 ms; commands with long work enable it
    words = sys.argv[1:] if argv is None else argv
    terminal.occupy_standard_streams()
    process_exit.forget()
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except PodwardError as error:
        terminal.complain(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and terminal.reader_is_gone(sys.stdout):
            code = BROKEN_PIPE
        else:
            terminal.complain(_from_machine(error))
            code = PodwardError.exit_code
    if not terminal.finish(sys.stdout) and code == 0:
        code = 1
    return code


def entry() -> NoReturn:
    """Run `main` and end the process.

    The process ends without deleting its objects: the interpreter would do that one by one, which takes a tenth of the
    time of a check of 2,000 manifests.
    """
    code = main()
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def load(name: str) -> Command:
    """Import the module of a command."""
    return _module(COMMANDS[name][0])


def _module(name: str) -> Command:
    from importlib import import_module

    module: Command = import_module(name)  # type: ignore[assignment]  # tests hold every module to it
    return module


def _from_machine(error: OSError) -> PodwardError:
    """An error of the kernel that no command has handled, such as a full disk."""
    if os.environ.get("PODWARD_TRACEBACK"):
        raise error
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    what = (error.strerror or str(error)).lower()
    return PodwardError(what, where=where, advice="PODWARD_TRACEBACK=1 shows where this happened.")


def _dispatch(words: list[str]) -> int:
    match words:
        case ["-V" | "--version", *_]:
            print(f"podward {__version__}")
        case ["-h" | "--help", *_] | ["help"]:
            print(_overview())
        case ["help", name, *rest]:
            return _run(name, [*rest, "--help"])
        case [name, *rest]:
            return _run(name, rest)
        case _:
            print(_overview(), file=sys.stderr)
            return UsageError.exit_code
    return 0


def _run(name: str, words: list[str]) -> int:
    if name not in COMMANDS:
        raise UsageError(f"there is no {_kind(name)} {name!r}", advice=_nearest(name))
    _import_msgspec_alone()
    from podward.cli import parser

    subject = SUBJECTS.get((name, words[0])) if words and not os.path.lexists(words[0]) else None
    if subject is not None:
        name, words = f"{name} {words[0]}", words[1:]
    parser.require_no_such_file(words)
    command = load(name) if subject is None else _module(subject)
    arguments = parser.for_command(name, command).parse(words)
    if os.geteuid() and name in IN_NAMESPACE:
        from podward.runtime import rootless

        rootless.enter_for(name)
    return command.run(arguments)


def _import_msgspec_alone() -> None:
    """Import msgspec without typing_extensions, which it would import and does without: 6 ms of every start.

    The server's libraries bring that along, and import it for themselves.
    """
    name = "typing_extensions"
    if name in sys.modules:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own word for a module that is not to be found
    try:
        import msgspec  # noqa: F401  # others find it imported
    finally:
        del sys.modules[name]


def _kind(word: str) -> str:
    return "option" if word.startswith("-") else "command"


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    return f"Did you mean `podward {near[0]}`?" if near else "`podward --help` lists the commands."


def _overview() -> str:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    return f"""\
usage: podward COMMAND [words …]
       podward [--help | --version]

What each process of a Kubernetes Pod is given, and why: here, under this machine's own kernel.

commands:
{listed}

`podward COMMAND --help` shows a command's options, with examples."""
