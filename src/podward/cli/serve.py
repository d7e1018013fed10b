"""`podward serve`: a cluster on this machine; for now its API server alone."""

from __future__ import annotations

import argparse

from podward.cli import apiserver

SUMMARY = "a cluster on this machine: for now its API server alone"

EXAMPLES = (
    ("start it, and use it from another terminal", "podward serve --data-dir ./data --kubeconfig ./kubeconfig"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the API server's arguments."""
    apiserver.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    return apiserver.run(args)
