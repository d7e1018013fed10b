"""runAsNonRoot with an image whose user is a name: refused, although the name may well be no root's.

Specification (kubelet 1.36 `verifyRunAsNonRoot`), in our words: the kubelet does not look into the image. With
runAsNonRoot and without runAsUser it takes the uid of the image's `User` if that is a number; a name it cannot verify,
and refuses. The number that the name means stands in the image's /etc/passwd (containerd 2.2, CRI-O 1.33, Docker 29
look there); written as runAsUser it gives the same process and passes.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import decided, of_container

NAME = "image-user-not-numeric"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint, with the number to write if the image's /etc/passwd has a fitting one."""
    context = facts.effective.value
    name = context.run_as_username
    if not context.security_context.run_as_non_root or context.run_as_user is not None or not name:
        return ()
    known = next((entry for entry in facts.passwd if entry.name == name), None)
    changes: tuple[Change, ...] = ()
    if known is None:
        remedy = f"Write the number of a user as runAsUser: the image's /etc/passwd has no {name}."
    elif known.uid == 0:
        line = f"line {known.line} of the image's /etc/passwd"
        remedy = f"Write the number of another user as runAsUser: {line} makes {name} root."
    else:
        remedy = f"Write runAsUser: {known.uid}, as line {known.line} of the image's /etc/passwd has {name}."
        changes = (Change(of_container(facts, "securityContext", "runAsUser"), known.uid),)
    image = Source(Origin.IMAGE, facts.image.name, path("config", "User"))
    return (
        Hint(
            NAME,
            facts.container.name,
            of_container(facts, "image"),
            f"runAsNonRoot refuses the image's user {name}: the kubelet cannot tell from a name that it is not root.",
            remedy,
            changes,
            decided(facts.effective.decision, path("runAsUsername"), image),
        ),
    )
