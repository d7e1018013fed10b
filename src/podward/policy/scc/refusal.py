"""The exact messages of SCC admission's refusals.

Specification: k8s.io/apimachinery field.ErrorList and util/errors.Aggregate, k8s.io/apiserver admission.NewForbidden;
OpenShift apiserver-library-go, sccadmission/admission.go. The mutating pass prints the errors as an aggregate, the
validating pass as a plain list; both may be empty.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.core import Pod
from podward.api.gotext import quote

REQUIRED_ANNOTATION = "openshift.io/required-scc"
"""The annotation by which a Pod requires one SCC: no other is tried."""

NO_POLICIES = "no SecurityContextConstraints found in cluster"
REQUIRED_CHANGED = f"invalid change of required security context constraint annotation: {REQUIRED_ANNOTATION}"
LEGACY_HINT = (
    "no access to scc/restricted: Forbidden: the pod fails to validate against the `restricted-v2` security context "
    "constraint, but would validate successfully against the `restricted` security context constraint"
)
NOT_USABLE = "Forbidden: not usable by user or serviceaccount"
_UNABLE = "unable to validate against any security context constraint: "
_RESOURCE = "securitycontextconstraints.security.openshift.io"


def forbidden(pod: Pod, why: str) -> str:
    """The whole message; a Pod without a name is called by its generateName."""
    name = pod.metadata.name or pod.metadata.generate_name or "Unknown"
    return f"pods {quote(name)} is forbidden: {why}"


def not_usable(scc: str) -> str:
    """The error about an SCC that neither subject may use."""
    return f"provider {quote(scc)}: {NOT_USABLE}"


def aggregate(errors: Iterable[str]) -> str:
    """The errors as Go prints an aggregate: each once, in brackets if there are several; `<nil>` for none."""
    once = list(dict.fromkeys(errors))
    if not once:
        return "<nil>"
    return once[0] if len(once) == 1 else f"[{', '.join(once)}]"


def unable_to_admit(errors: Iterable[str]) -> str:
    """The mutating pass found no SCC that admits the Pod."""
    return _UNABLE + aggregate(errors)


def unable_to_validate(errors: Iterable[str]) -> str:
    """The validating pass found no SCC that admits the Pod unchanged."""
    return f"{_UNABLE}[{' '.join(errors)}]"


def missing(names: Iterable[str]) -> str:
    """The cluster lacks SCCs that must exist."""
    return f"{_RESOURCE} cache is missing {', '.join(sorted(names))}"


def required_not_found(scc: str) -> str:
    """The Pod requires an SCC that does not exist."""
    return f"failed to retrieve the required SCC {quote(scc)}: {_RESOURCE} {quote(scc)} not found"


def required_mismatch(required: str, suggested: str) -> str:
    """The Pod requires an SCC other than the one that admitted it."""
    return f"required scc/{required} does not match the suggested scc/{suggested}"


def namespace_error(name: str, why: str) -> str:
    """The namespace does not exist or lacks an annotation that SCCs need."""
    return f"error fetching namespace {quote(name)}: {why}"


def namespace_not_found(name: str) -> str:
    """The namespace does not exist."""
    return namespace_error(name, f"namespace {quote(name)} not found")
