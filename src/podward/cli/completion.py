"""`podward completion SHELL`: a completion script for a shell, made from the parsers of all commands."""

from __future__ import annotations

import argparse

from podward.cli.main import COMMANDS, load
from podward.cli.parser import for_all

SUMMARY = "print a shell's completion script"
EXAMPLES = (
    ("bash, for this session", "source <(podward completion bash)"),
    ("bash, for good", "podward completion bash > ~/.local/share/bash-completion/completions/podward"),
    ("zsh, in a directory of $fpath", "podward completion zsh > ~/.zfunc/_podward"),
    ("fish", "podward completion fish > ~/.config/fish/completions/podward.fish"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that will read it")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    everything = for_all((name, load(name)) for name in COMMANDS)
    print(shtab.complete(everything, args.shell))
    return 0
