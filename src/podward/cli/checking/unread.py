"""Findings about what was not looked at: files and objects that could not be read, and what is no object yet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from msgspec import Struct, structs

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.errors import InputError, LimitError, OtherDocumentError
from podward.path import Path
from podward.schema.api_kinds import NoMatchError, knows
from podward.schema.objects import Item
from podward.schema.pod_kinds import ARGO, WORKFLOWS, PodKinds, holds_containers
from podward.schema.strict import MisfitError
from podward.schema.table import KINDS

OTHER_DOCUMENT = "input/other"
"""The rule about documents that are no Kubernetes objects."""
UNKNOWN_KIND = "input/unknown-kind"
"""The rule about custom resources that hold containers nobody looks at."""
POD_SPEC_PATCH = "input/pod-spec-patch"
"""The rule about patches of a workflow's Pods that could not be applied."""
TEMPLATE, KUSTOMIZE = "input/template", "input/kustomize"
"""The rules about files that are no objects yet."""
BUILD = "build it first: kustomize build DIRECTORY | podward check -"
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DEEPEST = 8
"""So many directories above a template its chart is looked for."""
_KUSTOMIZE_GROUP = "kustomize.config.k8s.io"


class BadItem(Struct, frozen=True):
    """An item of a list that could not be read: its place, and why."""

    at: Path
    error: InputError


def unseen(items: Iterable[Item], document: int, kinds: PodKinds) -> Iterator[Finding]:
    """The findings about objects that hold containers nobody looks at, and about those of kustomize."""
    for item in items:
        if item.kind in KINDS and item.api_version in KINDS[item.kind]:
            continue
        if item.group == _KUSTOMIZE_GROUP:
            yield _kustomization(item, document)
            continue
        if not knows(item.group) and not _has_pods(item, kinds) and holds_containers(item.raw):
            yield _unknown(item, document)
        if item.group == ARGO and item.kind in WORKFLOWS:
            yield from _unapplied(item, document)


def _has_pods(item: Item, kinds: PodKinds) -> bool:
    """Whether there is a Pod, or a template of one, where the custom resources of this kind have theirs."""
    row = kinds.get((item.group, item.kind))
    if row is not None:
        return next(row.templates(item.raw), None) is not None
    if item.group == ARGO and item.kind in WORKFLOWS:
        from podward.schema.workflows import pods_in

        return next(pods_in(item.raw, WORKFLOWS[item.kind]), None) is not None
    return False


def _unknown(item: Item, document: int) -> Finding:
    """The note about a custom resource that holds containers."""
    at = item.at / "kind"
    return Finding(
        UNKNOWN_KIND,
        Severity.NOTE,
        item.document.name,
        item.document.inside(at)[0],
        document,
        at,
        WorkloadRef(item.kind, item.namespace, item.name),
        f"a {item.kind} of {item.api_version} holds containers, and no rule has looked at them",
        remedy=f'say in podward.toml where its Pods are: [[check.workloads]] kind = "{item.kind}", …',
    )


def _unapplied(item: Item, document: int) -> Iterator[Finding]:
    """The findings about patches of a workflow that change Pods as nobody has looked at them."""
    from podward.schema.workflows import unapplied

    for place, why in unapplied(item.raw, WORKFLOWS[item.kind]):
        at = item.at + place
        yield Finding(
            POD_SPEC_PATCH,
            Severity.ERROR,
            item.document.name,
            item.document.inside(at)[0],
            document,
            at,
            WorkloadRef(item.kind, item.namespace, item.name),
            f"no rule has looked at what podSpecPatch makes of the Pods: {why}",
            remedy=UNAPPLIED,
        )


UNAPPLIED = "write it without expressions and directives, as plain fields of a Pod's spec, or waive it with the reason"


def _kustomization(item: Item, document: int) -> Finding:
    line = item.document.inside(item.at / "kind")[0]
    about = WorkloadRef(item.kind, item.namespace, item.name)
    what = f"a {item.kind} is no workload: what it comes to is not known before it is built"
    return Finding(KUSTOMIZE, Severity.NOTE, item.document.name, line, document, item.at, about, what, remedy=BUILD)


def patch(name: str) -> Finding:
    """The note about a file that a kustomization lists as a patch."""
    what = "a patch of a kustomization is no workload by itself"
    return Finding(KUSTOMIZE, Severity.NOTE, name, 1, 0, Path(), WorkloadRef(), what, remedy=BUILD)


def misread(bad: BadItem, name: str, document: int) -> list[Finding]:
    """The findings about an object that could be parsed and is wrong: one for each field that does not fit."""
    error = bad.error
    if not isinstance(error, MisfitError):
        rule = "input/schema" if bad.at.segments and isinstance(error, OtherDocumentError) else _schema(error, name)
        if rule == KUSTOMIZE:
            return [patch(name)]
        return [unread(rule, error, name, document)]
    return [
        Finding(
            "input/schema",
            Severity.ERROR,
            name,
            error.document.inside(mistake.path)[0],
            document,
            bad.at + mistake.path,
            WorkloadRef(),
            mistake.what,
            remedy=mistake.advice,
        )
        for mistake in error.mistakes
    ]


def unread(rule: str, error: InputError, name: str, document: int) -> Finding:
    """The finding about a file or a document that could not be read."""
    # `where` is name:line or name:line:column.
    line = error.where.removeprefix(f"{name}:").partition(":")[0]
    number = int(line) if line.isdigit() else 1
    return Finding(
        rule, Severity.ERROR, name, number, document, Path(), WorkloadRef(), error.what, remedy=error.advice.strip()
    )


def _schema(error: InputError, name: str) -> str:
    """The rule about a document that could be parsed and is wrong."""
    if isinstance(error, NoMatchError):
        return "input/kind"
    if not isinstance(error, OtherDocumentError):
        return "input/schema"
    return KUSTOMIZE if os.path.basename(name) in KUSTOMIZATIONS else OTHER_DOCUMENT


def rule_of(error: InputError) -> str:
    """The rule about a document that could not be parsed."""
    if isinstance(error, OtherDocumentError):
        return OTHER_DOCUMENT
    return "input/limits" if isinstance(error, LimitError) else "input/syntax"


def unfollowed(link: str, *, read: bool) -> Finding:
    """The finding about a link to a directory; `read` is whether that was read under its own name."""
    severity = Severity.NOTE if read else Severity.ERROR
    rest = "was read under its own name" if read else "was not looked at"
    what = f"a link to a directory is not followed: what it leads to {rest}"
    return Finding("input/link", severity, link, 1, 0, Path(), WorkloadRef(), what, remedy="" if read else _NAME_IT)


_NAME_IT = "name the directory itself, or leave the link out with --exclude"


def one_a_chart(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with one about the templates of each chart, however many it has; a chart's root has a Chart.yaml."""
    from podward.documents.helm import rendering

    roots: dict[str, str] = {}
    told: dict[str, int] = {}
    kept: list[Finding] = []
    for finding in findings:
        root = _chart_of(finding.file, roots) if finding.rule == TEMPLATE else ""
        if root and root in told:
            continue
        if root:
            told[root] = len(kept)
            what = f"the templates of the chart in {root} are no manifests"
            finding = structs.replace(finding, message=what, remedy=rendering(root))  # noqa: PLW2901  # the chart's own
        kept.append(finding)
    return kept


def _chart_of(file: str, known: dict[str, str]) -> str:
    """The directory of the chart that the file belongs to; empty if it belongs to none."""
    directory = os.path.dirname(file)
    if directory not in known:
        at = directory
        known[directory] = ""
        for _ in range(_DEEPEST):
            if os.path.isfile(os.path.join(at, "Chart.yaml")):
                known[directory] = at or "."
                break
            at = os.path.dirname(at)
    return known[directory]
