"""Namespaces in which no SCC acts.

Specification: OpenShift, openshift-kube-apiserver/admission/namespaceconditions and admissionenablement: SCC admission
passes over the namespaces default, kube-system, kube-public, openshift, openshift-infra and openshift-node, and those
whose label `openshift.io/run-level` is 0 or 1: Pods there have to start before what SCCs need is there. Pod Security
and the other plugins are asked there as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

LABEL = "openshift.io/run-level"
_LEVELS = frozenset(("0", "1"))
_NAMES = {
    "default": 0,
    "kube-system": 0,
    "kube-public": 0,
    "openshift": 1,
    "openshift-infra": 1,
    "openshift-node": 1,
}
"""The namespaces that are known by their names, with their levels."""


def why_unguarded(namespace: str, labels: Mapping[str, str | None] | None, *, named: bool) -> str | None:
    """Why no SCC acts in a namespace; None where they do.

    `named` is whether somebody has said that the Pod goes there: one that names no namespace is judged as in an
    ordinary one.
    """
    level = (labels or {}).get(LABEL)
    if level in _LEVELS:
        return f"namespace {namespace} is labelled {LABEL}: {level}, and no SCC acts at run-level 0 and 1"
    if named and namespace in _NAMES:
        return f"namespace {namespace} is one of run-level {_NAMES[namespace]}, and no SCC acts at run-level 0 and 1"
    return None
