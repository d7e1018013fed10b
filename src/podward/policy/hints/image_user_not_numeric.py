"""runAsNonRoot refuses an image whose user is a name, even if that user is not root.

Specification (kubelet `verifyRunAsNonRoot`), in our words: the kubelet does not look into the image. With
runAsNonRoot and without runAsUser it uses the image's `User` if that is a number. It cannot verify a name, so it
refuses the container. containerd 2.2, CRI-O 1.33 and Docker 29 look up the name's uid in the image's /etc/passwd. With
this uid as runAsUser the process is the same and the kubelet accepts it.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, source_of

NAME = "image-user-not-numeric"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint; it names the uid to set if the image's /etc/passwd has one that is not root."""
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
        changes = (Change(container_field(facts, "securityContext", "runAsUser"), known.uid),)
    image = Source(Origin.IMAGE, facts.image.name, path("config", "User"))
    return (
        Hint(
            NAME,
            facts.container.name,
            container_field(facts, "image"),
            f"runAsNonRoot refuses the image's user {name}: the kubelet cannot tell from a name that it is not root.",
            remedy,
            changes,
            source_of(facts.effective.decision, path("runAsUsername"), image),
        ),
    )
