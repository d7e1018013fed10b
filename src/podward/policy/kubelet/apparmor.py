"""Which AppArmor profile the kubelet requests for a container, and when the node refuses the Pod.

Specification (kubelet, `apparmor.GetProfile`, `getAppArmorProfile`, admission `Validate`, in our words):
- The profile is the container's field, else the container's annotation if it is valid, else the Pod's field, else none.
- Localhost needs a name; an unknown type is an error. The kubelet sends the deprecated string form as well.
- Admission: the node refuses a Pod that has a Localhost profile with a blank name. A node without AppArmor refuses a
  Pod that requests any profile other than Unconfined.
"""

from __future__ import annotations

from podward.api.core import Container, Pod, Profile, every_container
from podward.api.cri import SecurityProfile
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, assign, merge, refuse
from podward.path import Key, path

ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
PLACE = path("apparmor")
STRING_PLACE = path("apparmorProfile")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} appArmorProfile")
NOT_ENABLED = "Cannot enforce AppArmor: AppArmor is not enabled on the host"


def decide(pod: Pod, container: Container, place: Place) -> Decision:
    """The profile at `apparmor` and its deprecated string at `apparmorProfile`; nothing if none is requested."""
    profile, source = _profile(pod, container, place)
    if profile is None:
        return Decision()
    if profile.type in ("RuntimeDefault", "Unconfined"):
        text = "runtime/default" if profile.type == "RuntimeDefault" else "unconfined"
        return _assign(SecurityProfile(profile.type), text, source)
    where = source.path or place.container
    if profile.type == "Localhost":
        name = profile.localhost_profile
        if name is None:
            return refuse(where, None, "missing localhost apparmor profile name", RULE)
        return _assign(SecurityProfile("Localhost", name), f"localhost/{name}", source)
    kind = profile.type or ""
    return refuse(where, kind, f"unknown apparmor profile type: {quote(kind)}", RULE)


def admit(pod: Pod, place: Place) -> Decision:
    """A violation for the first Localhost profile with a blank name (init, then regular, then ephemeral containers)."""
    for name, index, container in every_container(pod.spec):
        here = Place(place.document, place.pod, place.pod / "spec" / name / index)
        profile, source = _profile(pod, container, here)
        if profile is not None and profile.type == "Localhost" and not (profile.localhost_profile or "").strip():
            printed = "nil" if profile.localhost_profile is None else f"*{profile.localhost_profile}"
            text = quote(f"&AppArmorProfile{{Type:Localhost,LocalhostProfile:{printed},}}")
            sentence = f"invalid empty AppArmor profile name: {text}"
            return refuse(source.path or here.container, profile.localhost_profile, sentence, RULE)
    return Decision()


def admit_host(pod: Pod, place: Place, *, enabled: bool) -> Decision:
    """A violation if the node has no AppArmor and a container requests a profile other than Unconfined."""
    if enabled:
        return Decision()
    for name, index, container in every_container(pod.spec):
        here = Place(place.document, place.pod, place.pod / "spec" / name / index)
        profile, source = _profile(pod, container, here)
        if profile is not None and profile.type != "Unconfined":
            return refuse(source.path or here.container, profile.type, NOT_ENABLED, RULE)
    return Decision()


def _assign(profile: SecurityProfile, text: str, source: Source) -> Decision:
    why = "the profile that applies to this container"
    return merge(assign(PLACE, profile, why, source), assign(STRING_PLACE, text, why, source))


def _profile(pod: Pod, container: Container, place: Place) -> tuple[Profile | None, Source]:
    """The profile that applies to the container, and the field or annotation that sets it."""
    own = container.security_context
    if own is not None and own.app_armor_profile is not None:
        where = place.container / "securityContext" / "appArmorProfile"
        return own.app_armor_profile, Source(Origin.MANIFEST, place.document, where)
    key = ANNOTATION + container.name
    annotated = _from_annotation((pod.metadata.annotations or {}).get(key))
    if annotated is not None:
        where = place.pod / "metadata" / "annotations" / Key(key)
        return annotated, Source(Origin.MANIFEST, place.document, where)
    of_pod = pod.spec.security_context
    where = place.pod / "spec" / "securityContext" / "appArmorProfile"
    return of_pod.app_armor_profile if of_pod else None, Source(Origin.MANIFEST, place.document, where)


def _from_annotation(value: str | None) -> Profile | None:
    if value == "runtime/default":
        return Profile("RuntimeDefault")
    if value == "unconfined":
        return Profile("Unconfined")
    if value is not None and value.startswith("localhost/"):
        return Profile("Localhost", value.removeprefix("localhost/"))
    return None
