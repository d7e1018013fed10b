"""From the words of `admit` and `explain` to a cluster and to what it answers about each Pod."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.access.identities import creator_of_pods
from podward.access.policies import describes_openshift
from podward.api.admission import AdmissionRequest, Operation
from podward.api.core import Namespace, ObjectMeta
from podward.cli import cluster_options, policies, terminal
from podward.documents.raw_fields import member
from podward.errors import InputError, UsageError
from podward.path import path
from podward.policy.pss.labels import OPENSHIFTS
from podward.policy.scc.namespace import UID_RANGE
from podward.policy.scc.new_namespace import FIRST_RANGES, missing, with_ranges
from podward.schema.workload import DEFAULT_NAMESPACE
from podward.stages.admission.cluster import AdmissionFacts, InMemoryCluster

if TYPE_CHECKING:
    from podward.documents.document import Document
    from podward.schema.objects import Item
    from podward.schema.workload import PodSource
    from podward.stages.admission.order import Admitted


class Admission:
    """A cluster as the command line describes it; the policies are prepared once."""

    def __init__(self, args: argparse.Namespace, manifests: tuple[Document, ...]) -> None:
        gathered = policies.gather(args.scc, args.namespace, manifests)
        for warning in gathered.warnings:
            terminal.say(f"warning: {warning}")
        self._openshift = args.cluster == cluster_options.OPENSHIFT or (
            not args.cluster and describes_openshift(gathered, manifests)
        )
        if not self._openshift and args.scc:
            raise UsageError("plain Kubernetes has no SCCs", where="--scc", advice="leave out --cluster kubernetes")
        self._user = cluster_options.caller_named(args.user, tuple(args.groups))
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
        sccs = tuple(source.view for source in gathered.sccs) if self._openshift else None
        self.cluster = InMemoryCluster(
            sccs,
            gathered.rbac,
            self._namespaces,
            OPENSHIFTS if self._openshift else None,
            csi_profiles=gathered.csi_profiles if self._openshift else None,
        )

    @property
    def kind(self) -> str:
        """Which cluster it is, as `--cluster` names it."""
        return cluster_options.OPENSHIFT if self._openshift else cluster_options.KUBERNETES

    def facts(self, source: PodSource) -> AdmissionFacts:
        """The request that would create the Pod."""
        user = creator_of_pods(source.kind, self._user)
        namespace = self._namespace_of(source)
        request = AdmissionRequest(Operation.CREATE, source.sent(), user, namespace)
        said = source.says_namespace or namespace in self._described
        return AdmissionFacts(request, self.cluster, source.kind, source.view.metadata.name or "", said)

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
                ranges = FIRST_RANGES[UID_RANGE]
                note = f"nobody described namespace {name}: uids {ranges} are assumed (--namespace FILE describes it)"
                terminal.say(f"note: {note}")
        return name

    def _new(self, name: str, namespace: Namespace) -> Namespace:
        """A namespace that is about to be created."""
        return with_ranges(name, namespace) if self._openshift else namespace


def _note_what_is_missing(namespaces: list[Item]) -> None:
    """Say of which annotations a cluster's namespace would have; without them no Pod is let in."""
    for item in namespaces:
        lacking = missing(member(member(item.raw, "metadata"), "annotations"))
        if lacking:
            note = (
                f"{item.where(path('metadata', 'annotations'))}: namespace {item.name} lacks {' and '.join(lacking)}, "
                f"which a cluster gives to every namespace: see `oc get namespace {item.name} -o yaml`"
            )
            terminal.say(f"note: {note}")


def refusal(source: PodSource, admitted: Admitted) -> str:
    """Why the Pod is not stored, as the command line says it.

    Raises InputError where it is not a valid Pod: that is the document's mistake, each field with its line.
    """
    violations = admitted.decision.violations
    if admitted.invalid:
        listed = "\n".join(f"* {source.where(v.path)}: {source.prefix + v.path}: {v.reason}" for v in violations)
        raise InputError(f'{source.kind} "{source.name}" is invalid:\n{listed}')
    sentence = "\n".join(violation.reason for violation in violations)
    return f"{source.where(violations[0].path)}: Error from server (Forbidden): {sentence}"
