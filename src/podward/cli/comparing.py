"""What `podward diff` does once its words are read: explain every side, compare, print."""

from __future__ import annotations

import argparse
import sys

from podward.cli import explaining, file_options, image_options, inputs, referenced, subjects, terminal
from podward.cli.given_pods import pods_of
from podward.documents.document import Document
from podward.errors import UsageError
from podward.policy.runtime.defaults import NAMES
from podward.render.escaping import json_text
from podward.render.explain import difference_table
from podward.render.explain.differences import compare
from podward.render.explain.hidden_values import without_values
from podward.render.explain.rows import ExplainedPod
from podward.runtime.state import state_root

SAME, DIFFERENT = 0, 1


def run(args: argparse.Namespace) -> int:
    """Compare; returns diff(1)'s exit codes."""
    runtimes, manifests = _runtimes(args.runtime_defaults), tuple(file_options.named(args))
    if (len(manifests), len(runtimes) > 1) not in {(2, False), (1, True)}:
        raise UsageError(
            f"there is nothing to compare in {len(manifests)} manifest(s) and {len(runtimes)} runtime(s)",
            advice="name two manifests, or one with several --runtime-defaults",
        )
    documents = [inputs.documents([manifest]) for manifest in manifests]
    explained = tuple(_explained(one, runtime, args) for one in documents for runtime in runtimes)
    found = compare(manifests if len(manifests) > 1 else runtimes, explained)
    if args.output == "json":
        sys.stdout.write(json_text(found, 1))
    else:
        sys.stdout.write(difference_table.table(found, terminal.columns(sys.stdout)))
    return SAME if found.same else DIFFERENT


def _runtimes(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(filter(None, text.split(","))))
    unknown = [name for name in named if name not in NAMES]
    if unknown or not named:
        raise UsageError(
            f"no such defaults: {', '.join(unknown) or repr(text)}",
            where="--runtime-defaults",
            advice=f"choose from {', '.join(NAMES)}",
        )
    return named


def _explained(documents: tuple[Document, ...], runtime: str, args: argparse.Namespace) -> tuple[ExplainedPod, ...]:
    """One side: every Pod of the documents as this runtime would run it."""
    words = argparse.Namespace(**{**vars(args), "runtime_defaults": runtime})
    sources = pods_of(documents, args.in_namespace)
    if args.pull:
        for error in image_options.pull((source.view for source in sources), state_root()):
            raise error
    dry = explaining.dry_run(words)
    objects = referenced.gather(documents, args)
    return tuple(
        ExplainedPod(without_values(dry.explain(subjects.subject(source, objects)), source.document), source.document)
        for source in sources
    )
