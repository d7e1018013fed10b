"""`podward explain pod/NAME`: a Pod of a cluster as it was decided, and who its processes are now.

The Pod is read from the API server that the kubeconfig leads to. It is explained as any manifest; of who its processes
are the node is asked, through the API server (`nodes/proxy`): one of ours tells, a kubelet does not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from contextlib import redirect_stdout
from io import StringIO

import msgspec

from podward.api.identity import PodIdentity
from podward.api.json_value import JsonObject
from podward.api.referenced_objects import ReferencedObjects
from podward.api.status import Status
from podward.cli import explaining, subjects, terminal
from podward.client.api import Client
from podward.client.connection import load
from podward.decision import Unknown
from podward.documents.document import Document
from podward.documents.raw_fields import member
from podward.errors import InputError, UsageError
from podward.render.escaping import json_text
from podward.render.explain import identities
from podward.render.explain.rows import ExplainedPod
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text
from podward.schema.workload import pod_sources

_PODS = BY_PLURAL["", "v1", "pods"]
_NAME = re.compile(r"(?:po|pods?)/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)")
_OUTPUTS = frozenset(("table", "wide", "json"))
_NOT_ASKED = ReferencedObjects(
    others=Unknown("what Secrets and ConfigMaps hold is not asked for", "name files with --with")
)


def run(args: argparse.Namespace) -> int:
    """Explain it; 1 where something was refused, or a process is not who it began as."""
    if args.output not in _OUTPUTS:
        raise UsageError(f"a Pod of a cluster has no {args.output} form", where="-o", advice="choose table or json")
    word = (*args.files, *args.filename)[0]
    found = _NAME.fullmatch(word)
    if found is None:
        raise UsageError(f"{word} is no file, and no Pod has such a name", where=word, advice="write pod/NAME")
    name, namespace = found.group(1), args.in_namespace or "default"
    pod, seen = asyncio.run(_asked(_kubeconfig(args), namespace, name))
    if isinstance(seen, str):
        terminal.say(f"note: who its processes are is not known: {seen}")
    code = _explained(pod, args, seen if isinstance(seen, PodIdentity) else None)
    drifted = isinstance(seen, PodIdentity) and any(each.drift for each in seen.containers)
    return max(code, explaining.FAILED if drifted else 0)


def _kubeconfig(args: argparse.Namespace) -> str:
    named = args.kubeconfig or next((file for file in os.environ.get("KUBECONFIG", "").split(":") if file), "")
    if not named:
        advice = "name its kubeconfig with --kubeconfig FILE, or in KUBECONFIG"
        raise UsageError("nobody says which API server has the Pod", where="--kubeconfig", advice=advice)
    return str(named)


async def _asked(kubeconfig: str, namespace: str, name: str) -> tuple[JsonObject, PodIdentity | str]:
    """The Pod, and what its node says of its processes, or why it says nothing."""
    client = Client(load(kubeconfig), "podward")
    try:
        pod = await client.get(_PODS, namespace, name)
        if isinstance(pod, Status):
            raise InputError(pod.message, where=f"pod/{name}", advice="name its namespace with -n")
        node = text(member(pod, "spec"), "nodeName")
        if not node:
            return pod, "the Pod is on no node yet"
        answer = await client.ask("GET", f"/api/v1/nodes/{node}/proxy/podward/identity/{namespace}/{name}")
    finally:
        await client.close()
    if isinstance(answer, Status):
        return pod, f"node {node} does not tell: {answer.message.strip()}"
    try:
        return pod, msgspec.convert(answer, PodIdentity)
    except msgspec.ValidationError as error:
        return pod, f"node {node} tells something else: {error}"


def _explained(pod: JsonObject, args: argparse.Namespace, seen: PodIdentity | None) -> int:
    written = {name: value for name, value in pod.items() if name != "status"}
    document = Document(f"pod/{member(pod, 'metadata').get('name')}", written)
    (source,) = pod_sources(document)
    subject = subjects.subject(source, _NOT_ASKED)
    explained = ExplainedPod(explaining.dry_run(args).explain(subject), document)
    if args.output != "json":
        code = explaining.show((explained,), (), args)
        if seen is not None:
            sys.stdout.write(f"\n{identities.text(seen)}")
        return code
    printed = StringIO()
    with redirect_stdout(printed):
        code = explaining.show((explained,), (), args)
    whole = {**msgspec.json.decode(printed.getvalue()), "identities": msgspec.to_builtins(seen)}
    sys.stdout.write(json_text(whole, 1))
    return code
