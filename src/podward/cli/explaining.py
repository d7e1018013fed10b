"""What `podward explain` does once its words and documents are read: gather facts, explain, print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import msgspec

from podward.api.explanation import PodExplanation
from podward.cli import (
    cluster_options,
    configuration,
    file_options,
    given_pods,
    image_options,
    referenced,
    subjects,
    terminal,
)
from podward.cli.companions import companions
from podward.errors import NodeError, PodwardError
from podward.path import Path, path
from podward.render.escaping import json_text
from podward.render.explain.citations import NO_POLICIES
from podward.render.explain.row_types import PodRows
from podward.render.explain.rows import ExplainedPod
from podward.runtime import probe, proc
from podward.runtime.explaining.explainer import Explainer
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.state import state_root
from podward.schema.workload import PodSource

FAILED = 1
_ACCESS_FIELDS = ("container", "path", "wanted", "allowed", "who", "rows", "reasons", "remedies")


def run(args: argparse.Namespace) -> int:
    """Explain every Pod of the files; returns the command's exit code.

    What can't be explained is told on standard error, with its exit code, and the other Pods are explained.
    """
    given = given_pods.every_pod(file_options.named(args), args.in_namespace)
    errors = given.errors
    sources = tuple(given.pods)
    fields = tuple(subjects.field_of(text, sources) for text in args.field) if sources else ()
    if args.pull:
        errors += image_options.pull((source.view for source in sources), state_root())
    dry = dry_run(args)
    stored, explained = _explained(given, dry, args)
    if args.access:
        code = _access(stored, explained, dry, errors, args)
    else:
        if args.verify and explained:
            from podward.cli import observing

            explained = observing.observed(explained, stored, args, errors)
        code = show(explained, fields, args, errors) if explained else 0
    for error in dict.fromkeys(map(str, errors)):
        terminal.complain(next(each for each in errors if str(each) == error))
    return max(code, *(error.exit_code for error in errors), 0)


def _explained(
    given: given_pods.GivenPods, dry: Explainer, args: argparse.Namespace
) -> tuple[tuple[PodToExplain, ...], tuple[ExplainedPod, ...]]:
    """Each Pod as it is stored, by a cluster's admission where one was described, and its explanation."""
    admission = None
    objects = referenced.gather(tuple(given.documents), args)
    if cluster_options.wanted(args):
        from podward.cli import admitting

        admission = admitting.Admission(args, tuple(given.documents))
    beside = companions(given.documents, given.pods)
    policies = NO_POLICIES if admission is None else admission.written
    stored, explained = [], []
    for source in given.pods:
        _note_debugging(source)
        subjects.tell_old_annotations(source)
        try:
            if admission is None:
                subject = subjects.subject(subjects.debugged(source), objects)
            else:
                subject = subjects.admitted_subject(source, objects, admission)
            pod = dry.explain(subject)
            asked, options = "", file_options.again(args, source.document.name, beside)
            if admission is not None:
                asked = cluster_options.for_check(args, pod.namespace, beside)
                options = f"{options} {cluster_options.again(args, admission.kind)}".strip()
            explained.append(ExplainedPod(pod, source.document, policies, options, asked))
            stored.append(subject)
        except PodwardError as error:
            given.errors.append(error)
    return tuple(stored), tuple(explained)


def _note_debugging(source: PodSource) -> None:
    """Say how ephemeral containers come into a Pod, of one that was not read from a cluster."""
    if subjects.debugged(source) is source:
        return
    where = source.where(path("spec", "ephemeralContainers"))
    terminal.say(
        f"note: {where}: Pod {source.name}: no Pod is created with ephemeralContainers; `kubectl debug` adds them to "
        "one that runs, and `kubectl get pod -o yaml` shows it with them"
    )


def show(
    explained: tuple[ExplainedPod, ...],
    fields: tuple[Path, ...],
    args: argparse.Namespace,
    errors: Sequence[PodwardError] = (),
) -> int:
    """Print them in the form that was asked for; returns the exit code that they ask for. `errors` are told in JSON."""
    if args.show_env:
        sys.stdout.write(_OUTPUTS_WITH_VALUES[args.output](explained, fields, errors))
    else:
        sys.stdout.write(_OUTPUTS[args.output](_without_values(explained), fields, errors))
    return FAILED if any(failed(each.pod) for each in explained) else 0


def _without_values(explained: tuple[ExplainedPod, ...]) -> tuple[ExplainedPod, ...]:
    from podward.render.explain.hidden_values import without_values

    return tuple(msgspec.structs.replace(each, pod=without_values(each.pod, each.document)) for each in explained)


def _access(
    stored: tuple[PodToExplain, ...],
    explained: tuple[ExplainedPod, ...],
    dry: Explainer,
    errors: list[PodwardError],
    args: argparse.Namespace,
) -> int:
    """Answer every `--access`: 0 where every process asked about may, 1 where one may not, or nobody can know."""
    from podward.cli import access

    reports: list[access.AccessReport] = []
    for question in args.access:
        access.parse(question)  # before anything is looked at
    for subject, each in zip(stored, explained, strict=True):
        node = access.ExplainedNode(state_root(), dry.node.runtime, dry.node.runtime_defaults, each.options)
        try:
            reports += access.explain_pod(tuple(args.access), subject, each.pod, node, args.container)
        except PodwardError as error:
            errors.append(error)
    if args.output == "json":
        told = [{name: getattr(report, name) for name in _ACCESS_FIELDS} for report in reports]
        sys.stdout.write(json_text(told, 1))
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
    users = image_options.assumed(args.image_user)
    return Explainer(node, state_root(), cgroup_v2=choice.cgroup == "v2", assumed=users)


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


def _table(explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], errors: Sequence[PodwardError]) -> str:
    from podward.render.explain import first_screen
    from podward.render.explain.rows import rows_of

    if fields:
        return _wide(explained, fields, errors)
    return _printed(tuple(first_screen.of_pod(rows_of(each)) for each in explained))


def _wide(explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], _: Sequence[PodwardError]) -> str:
    from podward.render.explain.rows import rows_of

    return _printed(tuple(rows_of(each, fields) for each in explained))


def _printed(pods: tuple[PodRows, ...]) -> str:
    from podward.render import palette as palettes
    from podward.render.explain import table

    palette = palettes.COLOURED if terminal.colour_wanted(sys.stdout) else palettes.PLAIN
    return table.table(pods, terminal.columns(sys.stdout), palette)


def _json(explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], errors: Sequence[PodwardError]) -> str:
    from podward.render.explain import document

    return document.as_json(explained, fields, errors)


def _yaml(explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], errors: Sequence[PodwardError]) -> str:
    from podward.render.explain import document

    return document.as_yaml(explained, fields, errors)


def _svg(explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], _: Sequence[PodwardError]) -> str:
    from podward.render.explain import svg
    from podward.render.explain.rows import rows_of

    return svg.render(tuple(rows_of(each, fields) for each in explained))


def _html(explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], _: Sequence[PodwardError]) -> str:
    from podward.cli import cited
    from podward.render.explain import html
    from podward.render.explain.rows import rows_of

    rows = tuple(rows_of(each, fields) for each in explained)
    return html.render(rows, cited.texts(rows, state_root(), cited.without_values))


def _html_with_values(
    explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...], errors: Sequence[PodwardError]
) -> str:
    from podward.cli import cited
    from podward.render.explain import html
    from podward.render.explain.rows import rows_of

    del errors
    rows = tuple(rows_of(each, fields) for each in explained)
    return html.render(rows, cited.texts(rows, state_root(), cited.as_written))


_OUTPUTS = {"table": _table, "wide": _wide, "json": _json, "yaml": _yaml, "svg": _svg, "html": _html}
_OUTPUTS_WITH_VALUES = {**_OUTPUTS, "html": _html_with_values}
