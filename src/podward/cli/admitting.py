"""From the words of `admit` and `explain` to a cluster and to what it answers about each Pod."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from podward.api.caller import User
from podward.api.core import Namespace, ObjectMeta
from podward.api.workload import DEFAULT_NAMESPACE
from podward.check.held import FIRST_RANGES
from podward.cli import cluster_options, policies, terminal
from podward.errors import InputError, UsageError
from podward.policy.scc import passes
from podward.stages.admission import AdmissionFacts, Admitted, Cluster

if TYPE_CHECKING:
    from podward.api.document import Document
    from podward.api.workload import PodSource

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
        self._described = {
            name: source.view
            for name, source in gathered.namespaces.items()
            if source.item.document.name in args.namespace
        }
        self._namespaces = {
            name: source.view if name in self._described else self._new(name, source.view)
            for name, source in gathered.namespaces.items()
        }
        ready = passes.prepare(tuple(source.view for source in gathered.sccs)) if self._openshift else None
        self.cluster = Cluster(ready, gathered.rbac, self._namespaces)

    def facts(self, source: PodSource) -> AdmissionFacts:
        """The request that would create the Pod."""
        namespace = self._namespace_of(source)
        metadata = source.raw.get("metadata")
        raw = {**source.raw, "metadata": {**(metadata if isinstance(metadata, dict) else {}), "namespace": namespace}}
        return AdmissionFacts(raw, namespace, self.caller(source), self.cluster, source.kind)

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


def controller_of(kind: str) -> User | None:
    """Who creates the Pods of a kind of workload; None for Pods themselves, and kinds without a controller."""
    name = _CONTROLLERS.get(kind)
    return caller_named(f"system:serviceaccount:kube-system:{name}", ()) if name else None


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
