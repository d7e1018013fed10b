"""Which seccomp profile the kubelet requests for a container.

Specification (kubelet, `getSeccompProfile`, in our words): the container's field, else the Pod's, else the
kubelet's `seccompDefault` (RuntimeDefault if it is true, Unconfined otherwise). Annotations are not read. `Localhost`
needs the name of a file below the kubelet's seccomp root. Any unknown type means Unconfined, so `{}` on a container
removes the Pod's profile. The kubelet only cleans the file's path; validation ensures that `..` does not leave the
root.
"""

from __future__ import annotations

from posixpath import normpath

from podward.api.core import Pod, Profile, SecurityContext
from podward.api.cri import SecurityProfile
from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, assign, refuse
from podward.path import Path, path

PLACE = path("seccomp")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} seccompProfile")
DEFAULT = Source(Origin.NODE, "kubelet configuration", path("seccompDefault"))
NEEDS_NAME = "localhostProfile must be set if seccompProfile type is Localhost."


def decide(
    pod: Pod, container: SecurityContext | None, place: Place, *, default_on: bool, profile_root: str
) -> Decision:
    """The profile at `seccomp`; a violation if a Localhost profile has no file name."""
    on_pod = pod.spec.security_context.seccomp_profile if pod.spec.security_context else None
    on_container = container.seccomp_profile if container else None
    if on_container is not None:
        return _written(on_container, place.container, place, profile_root)
    if on_pod is not None:
        return _written(on_pod, place.pod / "spec", place, profile_root)
    kind = "RuntimeDefault" if default_on else "Unconfined"
    state = "true" if default_on else "false"
    return assign(PLACE, SecurityProfile(kind), f"no seccompProfile, and seccompDefault is {state}", DEFAULT)


def _written(profile: Profile, owner: Path, place: Place, profile_root: str) -> Decision:
    where = owner / "securityContext" / "seccompProfile"
    source = Source(Origin.MANIFEST, place.document, where)
    if profile.type == "RuntimeDefault":
        return assign(PLACE, SecurityProfile("RuntimeDefault"), "seccompProfile asks for it", source)
    if profile.type == "Localhost":
        if not profile.localhost_profile:
            return refuse(where / "localhostProfile", profile.localhost_profile, NEEDS_NAME, RULE)
        # Joined, then cleaned, as Go's filepath.Join does: an absolute name stays below the root.
        file = normpath(f"{profile_root}/{profile.localhost_profile}")
        file = "/" + file.lstrip("/") if file.startswith("//") else file
        return assign(PLACE, SecurityProfile("Localhost", file), "seccompProfile names a file of the node", source)
    if profile.type == "Unconfined":
        return assign(PLACE, SecurityProfile("Unconfined"), "seccompProfile asks for it", source)
    return assign(PLACE, SecurityProfile("Unconfined"), "no known type: the kubelet applies no profile", source)
