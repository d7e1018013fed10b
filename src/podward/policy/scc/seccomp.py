"""seccompProfiles: which seccomp profiles a Pod and its containers may have.

Profiles have the names of the old annotations: `runtime/default` (or `docker/default`, which means the same),
`unconfined`, `localhost/FILE`. Specification (OpenShift apiserver-library-go, `seccomp` and sccmatching/provider.go,
July 2026), in our words:
- The Pod's profile is its annotation, else its field, else the first one in the SCC other than `*`. Both annotation and
  field are then set to it; if the field has no form for the name, the field is cleared.
- A container's annotation, even an empty one, sets or clears the container's field. Containers get no default.
- A container's effective profile is its field, else its annotation, else the Pod's field, else the Pod's annotation.
- `*` in the SCC allows all profiles. An SCC without profiles refuses all. Otherwise the SCC must list the profile's
  exact name: `localhost/*` is the file `*`. An unset profile is refused with an empty name.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.decision import Assignment, Decision, Origin, Source, Value
from podward.path import Key, Path, path
from podward.policy.scc.scc_pod import POD_CONTEXT, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

RULE = "seccomp"
POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
"""The annotation with the Pod's profile."""
CONTAINER_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
"""The annotation with a container's profile, without the container's name at its end."""

_FIELD = "seccompProfile"
_ANY = "*"
_RUNTIME_DEFAULT = ("runtime/default", "docker/default")
_UNCONFINED = "unconfined"
_LOCALHOST = "localhost/"
_ANNOTATIONS = path("metadata", "annotations")
_POD_KEY = _ANNOTATIONS / Key(POD_ANNOTATION)
_POD_FIELD = POD_CONTEXT / _FIELD
_RULE_SOURCE = Source(Origin.RULE, "OpenShift SCC admission")
_AS_ANNOTATION = "as the annotation says"
_AS_FIELD = "as the field says"


class SeccompRule:
    """The rule of an SCC's seccompProfiles."""

    __slots__ = ("_allowed", "_any_allowed", "_default", "_errors", "_set_default", "_source")

    def __init__(self, scc: str, profiles: tuple[str, ...]) -> None:
        self._errors = SccErrors(scc, RULE)
        self._source = self._errors.source("seccompProfiles")
        self._allowed = tuple(name for name in profiles if name != _ANY)
        self._any_allowed = _ANY in profiles
        self._default = self._allowed[0] if self._allowed else ""
        reason = "unset: the first that the SCC allows"
        self._set_default = self._synchronised(self._default, "", None, reason, self._source)

    def decide_pod(self, pod: SccPod) -> Decision:
        """The Pod's annotation and field."""
        annotation = pod.annotations.get(POD_ANNOTATION) or ""
        field = pod.context.seccomp_profile
        if not annotation and field is None:
            return self._set_default  # the default is always allowed
        profile_name = annotation or _name(field)
        reason = _AS_ANNOTATION if annotation else _AS_FIELD
        decided = NOTHING
        if profile_name:
            decided = self._synchronised(profile_name, annotation, field, reason, _RULE_SOURCE)
        error = self._error(profile_name)
        if not error:
            return decided
        place = _POD_KEY if annotation else _POD_FIELD
        return decided + self._refusal(str(_POD_KEY), place, profile_name, error)

    def decide_container(self, pod: SccPod, container: SccContainer) -> Decision:
        """The container's field and effective profile."""
        if pod.annotations:
            key = CONTAINER_ANNOTATION + container.spec.name
            if key in pod.annotations:
                return self._annotated(key, pod.annotations[key] or "", container)
        field = container.context.seccomp_profile
        if field is not None:
            profile_name = _name(field)
            place = container.place.context / _FIELD
        else:
            profile_name, place = self._inherited(pod)
        error = self._error(profile_name)
        return self._refusal(_printed(container), place, profile_name, error) if error else NOTHING

    def _annotated(self, key: str, annotation: str, container: SccContainer) -> Decision:
        """The field of a container with an annotation, and its effective profile."""
        field = _field(annotation)
        place = container.place.context / _FIELD
        decided = NOTHING
        if field != container.context.seccomp_profile:
            decided = Decision((Assignment(place, _value(field), _AS_ANNOTATION, _RULE_SOURCE),))
        profile_name = annotation if field is None else _name(field)
        error = self._error(profile_name)
        if not error:
            return decided
        return decided + self._refusal(_printed(container), _ANNOTATIONS / Key(key), profile_name, error)

    def _inherited(self, pod: SccPod) -> tuple[str, Path]:
        """The Pod's profile after the rule was applied to the Pod, and the path that sets it."""
        annotation = pod.annotations.get(POD_ANNOTATION) or ""
        field = pod.context.seccomp_profile
        if not annotation and field is not None:
            profile_name, place = _name(field), _POD_FIELD
        else:
            profile_name, place = annotation or self._default, _POD_KEY
        return _name(_field(profile_name)) or profile_name, place

    def _synchronised(
        self, profile_name: str, annotation: str, field: Profile | None, reason: str, source: Source
    ) -> Decision:
        """The Pod's annotation and field set to `profile_name`; `annotation` and `field` are their present values."""
        made: list[Assignment] = []
        if profile_name and profile_name != annotation:
            made.append(Assignment(_POD_KEY, profile_name, reason, source))
        new_field = _field(profile_name)
        if profile_name and new_field != field:
            made.append(Assignment(_POD_FIELD, _value(new_field), reason, source))
        return Decision(tuple(made)) if made else NOTHING

    def _error(self, profile_name: str) -> str:
        """Why the profile is refused; empty if it is allowed."""
        if self._any_allowed or profile_name in self._allowed:
            return ""
        if not self._allowed:
            return "seccomp may not be set" if profile_name else ""
        if profile_name in _RUNTIME_DEFAULT and any(name in _RUNTIME_DEFAULT for name in self._allowed):
            return ""
        return f"{profile_name} is not an allowed seccomp profile. Valid values are [{' '.join(self._allowed)}]"

    def _refusal(self, printed: str, place: Path, profile_name: str, error: str) -> Decision:
        return refused(self._errors.forbidden(printed, place, profile_name, error, self._source))


def _printed(container: SccContainer) -> str:
    return f"metadata.annotations[{CONTAINER_ANNOTATION}{container.spec.name}]"


def _name(profile: Profile | None) -> str:
    """The name that the old annotation has for this profile; empty if it has none."""
    if profile is None:
        return ""
    if profile.type == "RuntimeDefault":
        return _RUNTIME_DEFAULT[0]
    if profile.type == "Unconfined":
        return _UNCONFINED
    localhost = profile.type == "Localhost" and profile.localhost_profile is not None
    return f"{_LOCALHOST}{profile.localhost_profile}" if localhost else ""


def _field(name: str) -> Profile | None:
    """The field for the name of an old annotation; None if the field has no form for it."""
    if name in _RUNTIME_DEFAULT:
        return Profile("RuntimeDefault")
    if name == _UNCONFINED:
        return Profile("Unconfined")
    if name.startswith(_LOCALHOST) and name != _LOCALHOST:
        return Profile("Localhost", name[len(_LOCALHOST) :])
    return None


def _value(profile: Profile | None) -> Value:
    if profile is None:
        return None
    value: dict[str, Value] = {"type": profile.type}
    if profile.localhost_profile is not None:
        value["localhostProfile"] = profile.localhost_profile
    return value
