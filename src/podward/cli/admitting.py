"""From the words of `admit` and `explain` to a cluster and to what it answers about each Pod."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta
from podward.check.policy_set import FIRST_RANGES
from podward.cli import cluster_options, policies, terminal
from podward.errors import InputError, UsageError
from podward.path import path
from podward.policy.scc import passes
from podward.schema.workload import DEFAULT_NAMESPACE
from podward.stages.admission import AdmissionFacts, Admitted, Cluster

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.document import Document
    from podward.schema.objects import Item
    from podward.schema.workload import PodSource

_AUTHENTICATED = "system:authenticated"
SOMEBODY = User("somebody", ("system:authenticated:oauth", _AUTHENTICATED))
"""Who creates Pods where nobody is named: any user of the cluster, without rights of its own."""
_CONTROLLERS = {
    "Deployment": "replicaset-controller",
    "ReplicaSet": "replicaset-controller",
    "StatefulSet": "statefulset-controller",
    "DaemonSet": "daemon-set-controller",
    "Job": "job-controller",
    "CronJob": "job-controller",
    "ReplicationController": "replication-controller",
    "DeploymentConfig": "replication-controller",
}


_DEMANDED = ("openshift.io/sa.scc.uid-range", "openshift.io/sa.scc.mcs")
"""Annotations without which SCC admission refuses every Pod of a namespace."""
_PREFIXES = {
    "ReplicaSet": "{}-",
    "DaemonSet": "{}-",
    "Job": "{}-",
    "ReplicationController": "{}-",
    "DeploymentConfig": "{}-1-",
}
"""What the names of a workload's Pods begin with; a DeploymentConfig's first ReplicationController is its number 1."""


class Admission:
    """A cluster as the command line describes it; the policies are prepared once."""

    def __init__(self, args: argparse.Namespace, manifests: tuple[Document, ...]) -> None:
        gathered = policies.gather(args.scc, args.namespace, manifests)
        for warning in gathered.warnings:
            print(terminal.printable(f"podward: warning: {warning}"), file=sys.stderr)
        self._openshift = args.cluster != cluster_options.KUBERNETES
        if not self._openshift and args.scc:
            raise UsageError("plain Kubernetes has no SCCs", where="--scc", advice="leave out --cluster kubernetes")
        self._user = caller_named(args.user, tuple(args.groups))
        self.written: dict[str, Item] = {
            **{f"scc {source.name}": source.item for source in gathered.sccs if source.name in gathered.own},
            **{f"namespace {name}": source.item for name, source in gathered.namespaces.items()},
        }
        """The policies that stand in files, by the name that sources call them."""
        self._described = gathered.described
        self._namespaces = {
            name: source.view if name in self._described else self._new(name, source.view)
            for name, source in gathered.namespaces.items()
        }
        if self._openshift:
            _note_what_is_missing([gathered.namespaces[name].item for name in sorted(self._described)])
        ready = passes.prepare(tuple(source.view for source in gathered.sccs)) if self._openshift else None
        self.cluster = Cluster(ready, gathered.rbac, self._namespaces)

    def facts(self, source: PodSource) -> AdmissionFacts:
        """The request that would create the Pod."""
        name = source.view.metadata.name or ""
        return AdmissionFacts(
            sent(source), self._namespace_of(source), self.caller(source), self.cluster, source.kind, name
        )

    def caller(self, source: PodSource) -> User:
        """Who creates the Pod: the controller of its workload, or whoever was named."""
        return controller_of(source.kind) or self._user or SOMEBODY

    def _namespace_of(self, source: PodSource) -> str:
        """The Pod's namespace, which is there even if nobody described it.

        A Pod that names none goes where the one file of `--namespace` says, as it would with `kubectl -n`.
        """
        if len(self._described) == 1 and not source.says_namespace:
            return next(iter(self._described))
        name = source.view.metadata.namespace or DEFAULT_NAMESPACE
        if name not in self._namespaces:
            self._namespaces[name] = self._new(name, Namespace(ObjectMeta(name=name)))
            if self._openshift:
                ranges = FIRST_RANGES["openshift.io/sa.scc.uid-range"]
                note = f"nobody described namespace {name}: uids {ranges} are assumed (--namespace FILE describes it)"
                print(terminal.printable(f"podward: note: {note}"), file=sys.stderr)
        return name

    def _new(self, name: str, namespace: Namespace) -> Namespace:
        """A namespace that is about to be created: OpenShift gives it its ranges."""
        written = namespace.metadata.annotations or {}
        if not self._openshift or any(annotation in written for annotation in FIRST_RANGES):
            return namespace
        annotations: dict[str, str | None] = {**FIRST_RANGES, **written}
        return Namespace(ObjectMeta(name=name, labels=namespace.metadata.labels, annotations=annotations))


def _note_what_is_missing(namespaces: list[Item]) -> None:
    """Say of which annotations a cluster's namespace would have; without them no Pod is let in."""
    for item in namespaces:
        metadata = item.raw.get("metadata")
        written = metadata.get("annotations") if isinstance(metadata, dict) else None
        missing = [name for name in _DEMANDED if not isinstance(written, dict) or name not in written]
        if missing:
            note = (
                f"{item.where(path('metadata', 'annotations'))}: namespace {item.name} lacks {' and '.join(missing)}, "
                f"which a cluster gives to every namespace: see `oc get namespace {item.name} -o yaml`"
            )
            print(terminal.printable(f"podward: note: {note}"), file=sys.stderr)


def controller_of(kind: str) -> User | None:
    """Who creates the Pods of a kind of workload; None for Pods themselves, and kinds without a controller."""
    name = _CONTROLLERS.get(kind)
    return caller_named(f"system:serviceaccount:kube-system:{name}", ()) if name else None


def sent(source: PodSource) -> JsonObject:
    """The Pod as it reaches the API server: what was written, or what the controller makes of the template.

    A controller sends a prefix of the name; that of a Deployment's ReplicaSet, and of a CronJob's Job, nobody can know.
    """
    if source.kind == "Pod":
        written: Json = source.document.raw
        for segment in source.prefix.segments:
            written = written[segment]  # type: ignore[index]  # the Pod was found there
        return written if isinstance(written, dict) else source.raw
    prefix = _PREFIXES.get(source.kind)
    metadata = source.raw.get("metadata")
    if prefix is None or not source.name or not isinstance(metadata, dict):
        return source.raw
    named = {key: value for key, value in metadata.items() if key != "name"}
    return {**source.raw, "metadata": {"generateName": prefix.format(source.name), **named}}


def refusal(source: PodSource, admitted: Admitted) -> str:
    """Why the Pod is not stored, as the command line says it.

    Raises InputError where it is not a valid Pod: that is the document's mistake, each field with its line.
    """
    violations = admitted.decision.violations
    if admitted.invalid:
        listed = "\n".join(f"* {source.where(v.path)}: {v.path}: {v.reason}" for v in violations)
        raise InputError(f'{source.kind} "{source.name}" is invalid:\n{listed}')
    sentence = "\n".join(violation.reason for violation in violations)
    return f"{source.where(violations[0].path)}: Error from server (Forbidden): {sentence}"


def caller_named(name: str | None, groups: tuple[str, ...]) -> User | None:
    """The user as impersonation makes it: authenticated, and a service account with its groups."""
    if not name:
        if groups:
            raise UsageError("a group needs a user", where="--as-group", advice="add --as USER")
        return None
    made = list(groups)
    parts = name.split(":")
    if name.startswith("system:serviceaccount:") and len(parts) == 4:
        own = ("system:serviceaccounts", f"system:serviceaccounts:{parts[2]}")
        made += [group for group in own if group not in made]
    if name != "system:anonymous" and _AUTHENTICATED not in made:
        made.append(_AUTHENTICATED)
    return User(name, tuple(made))
