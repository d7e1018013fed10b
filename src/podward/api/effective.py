"""The effective security context that the kubelet computes for a container, before it calls the CRI."""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import SecurityContext
from podward.api.cri import NamespaceOption, SecurityProfile
from podward.path import Path


class Place(Struct, frozen=True, gc=False):
    """Where a Pod and one of its containers are written: the document's name and the paths in the document.

    `pod` is the path of the Pod (empty, or `spec.template` in a Deployment), `container` that of the container.
    """

    document: str
    pod: Path = Path()
    container: Path = Path()


class ImageUser(Struct, frozen=True, gc=False):
    """The image's user as the CRI's ImageStatus reports it: a uid or, if it is no number, a name; none means uid 0."""

    uid: int | None = None
    username: str = ""


class EffectiveContext(Struct, frozen=True, rename="camel", gc=False):
    """A container's context after the kubelet's rules; `security_context` merges the Pod's and the container's."""

    security_context: SecurityContext = SecurityContext()
    run_as_user: int | None = None
    run_as_username: str = ""
    run_as_group: int | None = None
    no_new_privs: bool = False
    seccomp: SecurityProfile | None = None
    apparmor: SecurityProfile | None = None
    apparmor_profile: str = ""
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    namespace_options: NamespaceOption | None = None
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: str = "Merge"
