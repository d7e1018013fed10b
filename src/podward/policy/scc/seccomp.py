"""seccompProfiles: which filters of system calls a Pod and its containers may have.

Profiles are named as the old annotations name them: `runtime/default` (and `docker/default`, the same), `unconfined`,
`localhost/FILE`. Specification (OpenShift apiserver-library-go, `seccomp` and sccmatching/provider.go), in
our words:
- The Pod's profile is its annotation, else its field, else the first that the SCC names and is not `*`. Both annotation
  and field are then made to say it; a name that the field can't say clears the field.
- A container's annotation, even an empty one, overwrites or clears the container's field. Containers are given nothing.
- A container's effective profile is its field, else its annotation, else the Pod's field, else the Pod's annotation.
- `*` in the SCC allows all profiles. An SCC without profiles refuses all. Otherwise a profile must be named, as it is
  written: `localhost/*` is the file `*`. An unset profile is refused as the empty name.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.decision import Assignment, Decision, Origin, Source, Value
from podward.path import Key, Path, path
from podward.policy.scc.subject import POD_CONTEXT, SccContainer, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, refused

RULE = "seccomp"
POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
"""The Pod's profile, by its old name."""
CONTAINER_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
"""A container's profile: what the key begins with, before the container's name."""

_FIELD = "seccompProfile"
_ANY = "*"
_RUNTIME_DEFAULT = ("runtime/default", "docker/default")
_UNCONFINED = "unconfined"
_LOCALHOST = "localhost/"
_ANNOTATIONS = path("metadata", "annotations")
_POD_KEY = _ANNOTATIONS / Key(POD_ANNOTATION)
_POD_FIELD = POD_CONTEXT / _FIELD
_SAME = Source(Origin.RULE, "OpenShift SCC admission")
_AS_ANNOTATION = "as the annotation says"
_AS_FIELD = "as the field says"


class SeccompRule:
    """The rule, made ready."""

    __slots__ = ("_allowed", "_any", "_default", "_given", "_source", "_voice")

    def __init__(self, scc: str, profiles: tuple[str, ...]) -> None:
        self._voice = SccErrors(scc, RULE)
        self._source = self._voice.source("seccompProfiles")
        self._allowed = tuple(name for name in profiles if name != _ANY)
        self._any = _ANY in profiles
        self._default = self._allowed[0] if self._allowed else ""
        self._given = self._made(self._default, "", None, "unset: the first that the SCC allows", self._source)

    def pod(self, subject: SccPod) -> Decision:
        """The Pod's annotation and field."""
        annotation = subject.annotations.get(POD_ANNOTATION) or ""
        field = subject.context.seccomp_profile
        if not annotation and field is None:
            return self._given  # what it gives is one of those that it allows
        asked = annotation or _name(field)
        reason = _AS_ANNOTATION if annotation else _AS_FIELD
        made = self._made(asked, annotation, field, reason, _SAME) if asked else NOTHING
        fault = self._fault(asked)
        if not fault:
            return made
        place = _POD_KEY if annotation else _POD_FIELD
        return made + self._refused(str(_POD_KEY), place, asked, fault)

    def container(self, subject: SccPod, member: SccContainer) -> Decision:
        """The container's field and effective profile."""
        if subject.annotations:
            key = CONTAINER_ANNOTATION + member.container.name
            if key in subject.annotations:
                return self._annotated(key, subject.annotations[key] or "", member)
        field = member.context.seccomp_profile
        if field is not None:
            asked = _name(field)
            place = member.place.context / _FIELD
        else:
            asked, place = self._inherited(subject)
        fault = self._fault(asked)
        return self._refused(_printed(member), place, asked, fault) if fault else NOTHING

    def _annotated(self, key: str, annotation: str, member: SccContainer) -> Decision:
        field = _field(annotation)
        place = member.place.context / _FIELD
        decided = NOTHING
        if field != member.context.seccomp_profile:
            decided = Decision((Assignment(place, _value(field), _AS_ANNOTATION, _SAME),))
        asked = annotation if field is None else _name(field)
        fault = self._fault(asked)
        return decided + self._refused(_printed(member), _ANNOTATIONS / Key(key), asked, fault) if fault else decided

    def _inherited(self, subject: SccPod) -> tuple[str, Path]:
        """The Pod's profile, once the rule has been applied to the Pod, and where it was asked for."""
        annotation = subject.annotations.get(POD_ANNOTATION) or ""
        field = subject.context.seccomp_profile
        if not annotation and field is not None:
            asked, place = _name(field), _POD_FIELD
        else:
            asked, place = annotation or self._default, _POD_KEY
        return _name(_field(asked)) or asked, place

    def _made(self, asked: str, annotation: str, field: Profile | None, reason: str, source: Source) -> Decision:
        """Annotation and field made to say `asked`; `annotation` and `field` are what they say."""
        made: list[Assignment] = []
        if asked and asked != annotation:
            made.append(Assignment(_POD_KEY, asked, reason, source))
        wanted = _field(asked)
        if asked and wanted != field:
            made.append(Assignment(_POD_FIELD, _value(wanted), reason, source))
        return Decision(tuple(made)) if made else NOTHING

    def _fault(self, asked: str) -> str:
        if self._any or asked in self._allowed:
            return ""
        if not self._allowed:
            return "seccomp may not be set" if asked else ""
        if asked in _RUNTIME_DEFAULT and any(name in _RUNTIME_DEFAULT for name in self._allowed):
            return ""
        return f"{asked} is not an allowed seccomp profile. Valid values are [{' '.join(self._allowed)}]"

    def _refused(self, printed: str, place: Path, asked: str, fault: str) -> Decision:
        return refused(self._voice.forbidden(printed, place, asked, fault, self._source))


def _printed(member: SccContainer) -> str:
    return f"metadata.annotations[{CONTAINER_ANNOTATION}{member.container.name}]"


def _name(profile: Profile | None) -> str:
    """The field's profile by its old name; empty if it has none."""
    if profile is None:
        return ""
    if profile.type == "RuntimeDefault":
        return _RUNTIME_DEFAULT[0]
    if profile.type == "Unconfined":
        return _UNCONFINED
    localhost = profile.type == "Localhost" and profile.localhost_profile is not None
    return f"{_LOCALHOST}{profile.localhost_profile}" if localhost else ""


def _field(name: str) -> Profile | None:
    """The field that says what the old name says; None if none can."""
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
