"""`podward admit`: what an API server would store of a Pod, or why it refuses it. Nothing is run."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from podward.cli import cluster_options, file_options

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.cli.admission_answers import AdmitAnswer
    from podward.cli.companions import Companions
    from podward.schema.workload import PodSource

SUMMARY = "what the API server would store of a Pod, or why it refuses it"
EXAMPLES = (
    ("as an OpenShift cluster stores a Pod", "podward admit pod.yaml --cluster openshift --namespace namespace.yaml"),
    ("with an SCC of one's own, asked by a certain user", "podward admit pod.yaml --scc my-scc.yaml --as alice"),
    ("what admission changes, as a JSON Patch (RFC 6902)", "podward admit pod.yaml -o patch"),
    ("admit it, then run what was stored", "podward admit pod.yaml | podward run --restart Never -"),
    ("as a plain Kubernetes does: Pod Security alone", "podward admit pod.yaml --cluster kubernetes -n shop"),
)
REFUSED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    file_options.add(parser)
    cluster_options.add(parser)
    add("-o", "--output", choices=("yaml", "json", "patch"), default="yaml", help="the form of the answer")


def run(args: argparse.Namespace) -> int:
    """Admit every Pod of the manifests; 1 where one was refused, 2 where one is none that a cluster takes."""
    from podward.cli import admission_answers, admitting, companions, given_pods, subjects, terminal
    from podward.errors import PodwardError
    from podward.render.escaping import message

    given = given_pods.every_pod(file_options.named(args), args.in_namespace)
    admission = admitting.Admission(args, tuple(given.documents))
    answers: list[AdmitAnswer] = []
    refused = 0
    for source in given.pods:
        try:
            answer = admission_answers.answer_to(source, admission)
            for warning in (*answer.warnings, *subjects.old_annotations_of(source)):
                print(message(f"Warning: {warning}"), file=sys.stderr)
            for refusal in answer.refusals:
                terminal.say(refusal)
            if answer.refusals:
                terminal.say(
                    f"next: `{_next(source, companions.companions(given.documents, given.pods), admission.kind, args)}`"
                )
                refused = REFUSED
            if answer.stored is not None:
                answers.append(answer)
        except PodwardError as error:
            given.errors.append(error)
    if answers:
        sys.stdout.write(_OUTPUTS[args.output](answers))
    for unread in given.errors:
        terminal.complain(unread)
    return max((unread.exit_code for unread in given.errors), default=refused)


def _next(source: PodSource, beside: Companions, cluster: str, args: argparse.Namespace) -> str:
    """The command that shows how it was decided."""
    from podward.render.next_command import CommandContext, quoted

    words = [*map(quoted, beside.without_pods), *(("-n", quoted(args.in_namespace)) if args.in_namespace else ())]
    return CommandContext(source.document.name).podward("explain", *words, cluster_options.again(args, cluster))


def _yaml(answers: list[AdmitAnswer]) -> str:
    from podward.render import objects

    return objects.yaml_documents(tuple(_object(each.stored or {}) for each in answers))


def _json(answers: list[AdmitAnswer]) -> str:
    from podward.render import objects

    return objects.json_document(tuple(_object(each.stored or {}) for each in answers))


def _patch(answers: list[AdmitAnswer]) -> str:
    """The operations that turn the Pod as it was sent into the stored one; of several Pods, a list on each line."""
    import msgspec

    from podward.render.escaping import printable_json
    from podward.render.patch import json_patch

    lines = [msgspec.json.encode(json_patch(each.source.sent(), each.decision)) for each in answers]
    return "".join(f"{printable_json(line.decode())}\n" for line in lines)


def _object(stored: JsonObject) -> JsonObject:
    """With the two fields first that say what it is."""
    return {"apiVersion": "v1", "kind": "Pod", **stored}


_OUTPUTS = {"yaml": _yaml, "json": _json, "patch": _patch}
