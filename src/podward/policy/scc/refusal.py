"""The sentences of a refusal, to the letter.

Specification: k8s.io/apimachinery field.ErrorList and util/errors.Aggregate, k8s.io/apiserver admission.NewForbidden;
OpenShift apiserver-library-go, sccadmission/admission.go. The mutating pass prints the errors as an aggregate, the
validating pass as a plain list; both may be empty.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.core import Pod
from podward.api.gotext import quote

REQUIRED_ANNOTATION = "openshift.io/required-scc"
"""The user's: the only SCC that may be tried."""

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
    """The whole refusal of the Pod; one without a name is named by what its name would begin with."""
    name = pod.metadata.name or pod.metadata.generate_name or "Unknown"
    return f"pods {quote(name)} is forbidden: {why}"


def not_usable(scc: str) -> str:
    """The error of an SCC that neither subject may use."""
    return f"provider {quote(scc)}: {NOT_USABLE}"


def aggregate(errors: Iterable[str]) -> str:
    """Errors as Go prints an aggregate: each once, in brackets if there are more; `<nil>` for none."""
    once = list(dict.fromkeys(errors))
    if not once:
        return "<nil>"
    return once[0] if len(once) == 1 else f"[{', '.join(once)}]"


def unable_to_admit(errors: Iterable[str]) -> str:
    """No SCC fits: the mutating pass."""
    return _UNABLE + aggregate(errors)


def unable_to_validate(errors: Iterable[str]) -> str:
    """No SCC fits as the Pod stands: the validating pass."""
    return f"{_UNABLE}[{' '.join(errors)}]"


def missing(names: Iterable[str]) -> str:
    """SCCs that must exist do not."""
    return f"{_RESOURCE} cache is missing {', '.join(sorted(names))}"


def required_not_found(scc: str) -> str:
    """The Pod requires an SCC that does not exist."""
    return f"failed to retrieve the required SCC {quote(scc)}: {_RESOURCE} {quote(scc)} not found"


def required_mismatch(required: str, suggested: str) -> str:
    """The Pod requires another SCC than it was validated against."""
    return f"required scc/{required} does not match the suggested scc/{suggested}"


def namespace_error(name: str, why: str) -> str:
    """The namespace, or what SCCs need of it, is not there."""
    return f"error fetching namespace {quote(name)}: {why}"


def namespace_not_found(name: str) -> str:
    """There is no such namespace."""
    return namespace_error(name, f"namespace {quote(name)} not found")
