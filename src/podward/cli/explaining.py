"""What `podward explain` does once its words and documents are read: gather facts, explain, print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

import msgspec

from podward.api.explanation import PodExplanation
from podward.cli import cluster_options, configuration, referenced, subjects, terminal
from podward.cli.inputs import pods_of
from podward.documents.document import Document
from podward.errors import NodeError
from podward.path import Path
from podward.render.explain.citations import NO_POLICIES
from podward.render.explain.rows import ExplainedPod
from podward.runtime import probe, proc
from podward.runtime.explaining.explainer import Explainer
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.state import state_root
from podward.schema.objects import Item
from podward.schema.workload import PodSource

FAILED = 1
_ACCESS_FIELDS = ("container", "path", "wanted", "allowed", "who", "rows", "reasons", "remedies")


def run(documents: tuple[Document, ...], args: argparse.Namespace) -> int:
    """Explain every Pod that the documents bring about; returns the command's exit code."""
    sources = pods_of(documents)
    field = subjects.field_of(args.field, sources) if args.field else None
    dry = dry_run(args)
    stored, policies = _admitted(documents, sources, args)
    explained = tuple(
        ExplainedPod(dry.explain(subject), source.document, policies)
        for subject, source in zip(stored, sources, strict=True)
    )
    if args.access:
        return _access(stored, explained, args)
    if args.verify:
        from podward.cli import observing

        explained = observing.observed(explained, stored, args)
    return show(explained, field, args)


def _admitted(
    documents: tuple[Document, ...], sources: tuple[PodSource, ...], args: argparse.Namespace
) -> tuple[tuple[PodToExplain, ...], Mapping[str, Item]]:
    """The Pods as they are stored, by a cluster's admission where one was described; and its policies in files."""
    objects = referenced.gather(documents, args)
    if not cluster_options.wanted(args):
        return tuple(subjects.subject(source, objects) for source in sources), NO_POLICIES
    from podward.cli import admitting

    admission = admitting.Admission(args, documents)
    return tuple(subjects.admitted_subject(source, objects, admission) for source in sources), admission.written


def show(explained: tuple[ExplainedPod, ...], field: Path | None, args: argparse.Namespace) -> int:
    """Print them in the form that was asked for; returns the command's exit code."""
    if args.show_env:
        sys.stdout.write(_OUTPUTS_WITH_VALUES[args.output](explained, field))
    else:
        sys.stdout.write(_OUTPUTS[args.output](_without_values(explained), field))
    return FAILED if any(failed(each.pod) for each in explained) else 0


def _without_values(explained: tuple[ExplainedPod, ...]) -> tuple[ExplainedPod, ...]:
    from podward.render.explain.hidden_values import without_values

    return tuple(msgspec.structs.replace(each, pod=without_values(each.pod, each.document)) for each in explained)


def _access(stored: tuple[PodToExplain, ...], explained: tuple[ExplainedPod, ...], args: argparse.Namespace) -> int:
    """Answer `--access`: 0 where every process asked about may, 1 where one may not."""
    from podward.cli import access

    root = state_root()
    reports = [
        report
        for subject, each in zip(stored, explained, strict=True)
        for report in access.explain_pod(args.access, subject, each.pod, root, args.container)
    ]
    if args.output == "json":
        told = [{name: getattr(report, name) for name in _ACCESS_FIELDS} for report in reports]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=1).decode() + "\n")
    else:
        sys.stdout.write("\n".join(access.text(report, terminal.columns(sys.stdout)) for report in reports))
    return 0 if all(report.allowed for report in reports) else FAILED


def dry_run(args: argparse.Namespace) -> Explainer:
    """What explains Pods as this machine would run them."""
    try:
        choice = probe.choose(args.runtime)
    except NodeError:
        if args.runtime != probe.AUTO:
            raise
        # Without any runtime nothing runs here, but it can be told what would: under the one that is preferred.
        choice = probe.RuntimeChoice(probe.PREFERRED[0], "", "", probe.cgroup_layout()[0])
    node = configuration.node_of(choice, args)
    if os.geteuid():
        node = msgspec.structs.replace(node, capabilities=_capabilities_of_root())
    return Explainer(node, state_root(), cgroup_v2=choice.cgroup == "v2")


def _capabilities_of_root() -> int:
    """What root would have here, as far as this user can tell: the bounding set (capabilities(7))."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        return int(proc.parse_status(status.read())["CapBnd"], 16)


def failed(pod: PodExplanation) -> bool:
    """Whether anything of it was refused, or observed other than predicted."""
    stages = (*pod.stages, *(stage for container in pod.containers for stage in container.stages))
    return any(stage.decision.refused for stage in stages) or any(
        container.observed is not None and container.observed != container.predicted for container in pod.containers
    )


def _table(explained: tuple[ExplainedPod, ...], field: Path | None) -> str:
    from podward.render import palette as palettes
    from podward.render.explain import table
    from podward.render.explain.rows import rows_of

    palette = palettes.COLOURED if terminal.colour_wanted(sys.stdout) else palettes.PLAIN
    return table.table(tuple(rows_of(each, field) for each in explained), terminal.columns(sys.stdout), palette)


def _json(explained: tuple[ExplainedPod, ...], field: Path | None) -> str:
    from podward.render.explain import document

    return document.as_json(explained, field)


def _yaml(explained: tuple[ExplainedPod, ...], field: Path | None) -> str:
    from podward.render.explain import document

    return document.as_yaml(explained, field)


def _svg(explained: tuple[ExplainedPod, ...], field: Path | None) -> str:
    from podward.render.explain import svg
    from podward.render.explain.rows import rows_of

    return svg.render(tuple(rows_of(each, field) for each in explained))


def _html(explained: tuple[ExplainedPod, ...], field: Path | None) -> str:
    from podward.cli import cited
    from podward.render.explain import html
    from podward.render.explain.rows import rows_of

    rows = tuple(rows_of(each, field) for each in explained)
    return html.render(rows, cited.texts(rows, state_root(), cited.without_values))


def _html_with_values(explained: tuple[ExplainedPod, ...], field: Path | None) -> str:
    from podward.cli import cited
    from podward.render.explain import html
    from podward.render.explain.rows import rows_of

    rows = tuple(rows_of(each, field) for each in explained)
    return html.render(rows, cited.texts(rows, state_root(), cited.as_written))


_OUTPUTS = {"table": _table, "json": _json, "yaml": _yaml, "svg": _svg, "html": _html}
_OUTPUTS_WITH_VALUES = {**_OUTPUTS, "html": _html_with_values}
