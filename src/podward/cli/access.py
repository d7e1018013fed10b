"""`podward explain --access PATH:rwx`: may a container's process use this path, and which rule says so.

Reads the question, has the facts gathered and the rule asked, and puts the answer into words; decides nothing.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import every_container
from podward.api.cri import ContainerConfig, IDMapping
from podward.api.effective import Place
from podward.api.explanation import ContainerExplanation, PodExplanation
from podward.api.filesystem import BITS, Denial, FileAccessFacts, Grant
from podward.api.oci import RuntimeSpec
from podward.api.pod_facts import PodFacts
from podward.api.process import ProcessState
from podward.cli import terminal
from podward.decision import Decision, Unknown
from podward.errors import RefusedError, UsageError
from podward.path import path
from podward.policy.kernel import access, access_remedies, devices, entry_file
from podward.policy.kernel.access_remedies import AccessRemedy
from podward.policy.kernel.earlier_containers import EarlierContainer
from podward.policy.kernel.user_namespace import is_identity
from podward.policy.runtime.image_volumes import find
from podward.runtime.container_tree import ContainerFiles, tree_of
from podward.runtime.explaining.images import Images
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.explaining.volumes import DryVolumes
from podward.runtime.images.store import ImageStore
from podward.runtime.walk import walk

ADVICE = "write a path of the container and what to do with it: `--access /data:rw` (r read, w write, x execute)"
DENIED, ALLOWED, NOT_KNOWN = "denied", "allowed", "not known"


class Row(Struct, frozen=True):
    """One component of the path: its mode and owner as the container sees them, what was asked of it, the answer.

    `answer` is allowed or denied, `rule` what says so, `source` the manual page that documents the rule.
    """

    component: str
    file: str
    asked: str
    answer: str
    rule: str
    source: str


class AccessReport(Struct, frozen=True):
    """The answer about one path and one container; `who` is the process in words.

    `allowed` is None where nobody can know: `reasons` then say why.
    """

    container: str
    path: str
    wanted: str
    allowed: bool | None
    who: str
    rows: tuple[Row, ...] = ()
    reasons: tuple[str, ...] = ()
    remedies: tuple[AccessRemedy, ...] = ()
    decision: Decision = Decision()


class ExplainedNode(Struct, frozen=True):
    """What the Pods were explained with.

    `root` is the state directory, `runtime` the OCI runtime's kind. `options` are the words that a suggested command
    has again.
    """

    root: str
    runtime: str
    runtime_defaults: str
    options: str = ""


def explain_pod(
    questions: tuple[str, ...],
    subject: PodToExplain,
    explained: PodExplanation,
    node: ExplainedNode,
    container: str | None = None,
) -> tuple[AccessReport, ...]:
    """Answer `--access`'s questions about a Pod that was explained: about one container, or about all.

    Raises UsageError for a container that is not in the Pod, RefusedError for one that would not run, and what
    `explain_access` raises.
    """
    for question in questions:
        parse(question)  # before anything is looked at
    names = [each.name for each in explained.containers]
    if container is not None and container not in names:
        advice = f"the Pod's containers: {', '.join(names)}"
        raise UsageError(f"there is no container {container!r}", where="--container", advice=advice)
    refused = [v for stage in explained.stages for v in stage.decision.violations]
    if refused:
        raise RefusedError(
            f"the Pod would not run: {refused[0].reason}",
            where=explained.document,
            advice=_why(explained, node.options),
        )
    reports: list[AccessReport] = []
    for each in explained.containers:
        if container in (None, each.name):
            found = _files(subject, explained, each, node)
            reports += (
                _not_known(question, each.name, found)
                if isinstance(found, Unknown)
                else explain_access(question, found)
                for question in questions
            )
    return tuple(reports)


def _files(
    subject: PodToExplain, explained: PodExplanation, container: ContainerExplanation, node: ExplainedNode
) -> ContainerFiles | Unknown:
    """The container's files, as they follow from what was decided about it; Unknown where that is not known."""
    process = container.predicted or _state_at_its_start(container)
    if process is None and container.unknowns:
        return container.unknowns[0]
    if process is None:
        reasons = [v.reason for stage in container.stages for v in stage.decision.violations]
        why = f"container {container.name} would not run: {reasons[0] if reasons else 'nothing is predicted of it'}"
        raise RefusedError(why, where=explained.document, advice=_why(explained, node.options))
    config, oci = (next(s.decision for s in container.stages if s.name == name) for name in ("cri", "oci"))
    images = ImageStore(node.root)
    stored = images.resolve(container.image)
    mapping = None if is_identity(process.uid_map) else IDMapping(*process.uid_map[0])
    pod, place = subject.pod, Place(explained.document, explained.place, container.place)
    volumes = DryVolumes(PodFacts(pod, place, subject.objects), mapping, Images(node.root).root_of)
    volumes.prepare()
    written = {each.name: each for _, _, each in every_container(pod.spec)}
    before = explained.containers[: explained.containers.index(container)]
    return ContainerFiles(
        pod=pod,
        container=written[container.name],
        spec=oci.fold(RuntimeSpec),
        process=process,
        image_root=stored.rootfs,
        made=find(images.load(stored), config.fold(ContainerConfig)).directories(node.runtime_defaults),
        runtime=node.runtime,
        volumes=volumes.facts,
        planned=volumes.planned,
        sources=volumes.sources,
        earlier=tuple(EarlierContainer(written[each.name], each.predicted) for each in before),
    )


def _why(explained: PodExplanation, options: str) -> str:
    """The command that tells why a Pod would not run."""
    from podward.render.next_command import CommandContext

    return f"`{CommandContext(explained.document, options).podward('explain')}` tells which field and rule refuse it"


def _not_known(question: str, container: str, unknown: Unknown, who: str = "") -> AccessReport:
    place, wanted = parse(question)
    return AccessReport(
        container, place, wanted, None, who, reasons=(unknown.why,), remedies=(AccessRemedy(unknown.remedy),)
    )


def _state_at_its_start(container: ContainerExplanation) -> ProcessState | None:
    """The process of a container of which only the entry file is refused; None of any other."""
    kernel = next((stage.decision for stage in container.stages if stage.name == "kernel"), Decision())
    refused = all(violation.path == entry_file.PLACE for violation in kernel.violations)
    if not refused or kernel.unknowns or kernel.assignment(path("cap_permitted")) is None:
        return None
    return kernel.fold(ProcessState)


def explain_access(question: str, files: ContainerFiles) -> AccessReport:
    """Answer `--access`'s question about one container.

    Raises UsageError for a question of another shape, NodeError for what can't be looked at.
    """
    place, wanted = parse(question)
    chain = devices.marked(walk(tree_of(files), place), devices.rules_of(files.spec, files.runtime))
    unknown, who = chain[-1].unknown, access.who(files.process)
    if unknown is not None:
        return _not_known(question, files.container.name, unknown, who)
    decision = access.decide(files.process, chain, wanted)
    return AccessReport(
        container=files.container.name,
        path=place,
        wanted=wanted,
        allowed=not decision.refused,
        who=who,
        rows=rows(files, chain, decision),
        reasons=tuple(violation.reason for violation in decision.violations),
        remedies=access_remedies.suggest(files.process, chain, wanted),
        decision=decision,
    )


def parse(question: str) -> tuple[str, str]:
    """The path and the letters of `PATH:rwx`. Raises UsageError."""
    place, colon, wanted = question.rpartition(":")
    if not colon or not wanted or set(wanted) - BITS.keys():
        raise UsageError(f"{question!r} does not say what to do with which path", where="--access", advice=ADVICE)
    if not place.startswith("/"):
        raise UsageError(f"{place!r} is not an absolute path", where="--access", advice=ADVICE)
    if "\0" in place:
        raise UsageError("a path can't hold a null character", where="--access", advice=ADVICE)
    return place, "".join(letter for letter in BITS if letter in wanted)


def rows(files: ContainerFiles, chain: tuple[FileAccessFacts, ...], decision: Decision) -> tuple[Row, ...]:
    """One row for each assignment and violation of the Decision, in their order."""
    by_path = {facts.path: facts for facts in chain}
    decided = [(a.value, a.source) for a in decision.assignments]
    decided += [(v.value, v.source) for v in decision.violations]
    found = []
    for value, source in decided:
        if isinstance(value, Grant | Denial):
            facts = by_path[value.component]
            described = "-" if facts.error else access.describe(files.process, facts)
            answer = f"{DENIED} {value.errno}" if isinstance(value, Denial) else ALLOWED
            found.append(Row(value.component, described, value.wanted, answer, value.rule, str(source)))
    return tuple(found)


def text(report: AccessReport, width: int = 100) -> str:
    """The report for people, as lines of at most `width` columns where words allow it."""
    verdict = {True: ALLOWED, False: DENIED, None: NOT_KNOWN}[report.allowed]
    lines = [f"{report.container}: {report.path}:{report.wanted} {verdict}"]
    lines += [f"  {report.who}"] if report.who else []
    cells = [(row.component, row.file, row.asked, row.answer, f"{row.rule}, {row.source}") for row in report.rows]
    widths = [max(len(row[column]) for row in cells) for column in range(4)] if cells else []
    for row in cells:
        padded = "  ".join(f"{cell:{size}}" for cell, size in zip(row, widths, strict=False))
        lines.append(f"  {padded}  {row[4]}")
    for reason in report.reasons:
        lines += _wrapped("why: ", reason, width)
    for index, remedy in enumerate(report.remedies):
        lines += _wrapped("or:  " if index else "do:  ", remedy.sentence, width)
    # Names in an image or a volume are hostile: none may speak to the terminal.
    spelt = (terminal.printable(line.rstrip()).replace("\n", "\\n").replace("\t", "\\t") for line in lines)
    return "".join(f"{line}\n" for line in spelt)


def _wrapped(label: str, sentence: str, width: int) -> list[str]:
    """The sentence in lines, the label before the first; a word that is too long has a line of its own."""
    indent = " " * (len(label) + 2)
    lines = [f"  {label}"]
    for word in sentence.split(" "):
        if len(lines[-1]) + len(word) > width and lines[-1].strip() not in ("", label.strip()):
            lines.append(indent)
        lines[-1] += f"{word} "
    return lines
