"""Which uid, user name and gid the kubelet sends to the runtime.

Specification (kubelet, `determineEffectiveSecurityContext`, in our words):
- The merged runAsUser, where set, is the uid, and no user name is sent.
- Otherwise the image's user is sent: its uid if it is numeric (whatever name came with it), else its name; an image
  without a user gives uid 0. Which it is, is unknown without the image.
- The gid is the merged runAsGroup or nothing; a group written in the image's USER never comes along.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.api.effective import ImageUser, Place
from podward.decision import Decision, Origin, Source, Unknown, assign
from podward.path import path

RUN_AS_USER = path("runAsUser")
RUN_AS_USERNAME = path("runAsUsername")
RUN_AS_GROUP = path("runAsGroup")


def image_user(reported: ImageUser) -> ImageUser:
    """The image's user as the kubelet uses it: its uid, else its name, else uid 0."""
    if reported.uid is not None:
        return ImageUser(uid=reported.uid)
    return reported if reported.username else ImageUser(uid=0)


def parse_image_user(user: str) -> ImageUser:
    """The image's `User` as runtimes report it over CRI: a uid or a name, from the part before `:` (containerd 2.1)."""
    name = user.split(":", 1)[0]
    if not name:
        return ImageUser()
    digits = name[1:] if name[0] in "+-" else name
    numeric = digits.isascii() and digits.isdigit() and -(1 << 63) <= int(name) < 1 << 63
    return ImageUser(uid=int(name)) if numeric else ImageUser(username=name)


def of_image(user: str) -> ImageUser:
    """The `User` of an image's config as the kubelet takes it."""
    return image_user(parse_image_user(user))


def decide(
    merged: SecurityContext, origin: Decision, image: ImageUser | Unknown, image_name: str, place: Place
) -> Decision:
    """RunAsUser or runAsUsername, and runAsGroup; `origin` is the Decision that made `merged`."""
    decided = Decision()
    if merged.run_as_user is not None:
        source = _merged_from(origin, "runAsUser", place)
        decided += assign(RUN_AS_USER, merged.run_as_user, "runAsUser is set", source)
    else:
        source = Source(Origin.IMAGE, image_name, path("config", "User"))
        reason = "runAsUser is unset: the image's user"
        uid = image if isinstance(image, Unknown) else image.uid
        if uid is not None:
            decided += assign(RUN_AS_USER, uid, reason, source)
        if not isinstance(image, Unknown) and image.username:
            decided += assign(RUN_AS_USERNAME, image.username, reason, source)
    if merged.run_as_group is not None:
        source = _merged_from(origin, "runAsGroup", place)
        decided += assign(RUN_AS_GROUP, merged.run_as_group, "runAsGroup is set", source)
    return decided


def _merged_from(origin: Decision, name: str, place: Place) -> Source:
    """The field of the Pod or container that the merged field comes from."""
    found = origin.assignment(path("securityContext", name))
    return found.source if found else Source(Origin.MANIFEST, place.document, place.container)
