"""A host uid that processes of other Pods on this machine have too.

Specification (setrlimit(2) RLIMIT_NPROC, inotify(7), mq_overview(7), user_namespaces(7)), in our words: the kernel
counts processes, inotify instances, pending signals and message queues for each real uid of the host, not for each
container. Pods with the same host uid use up each other's limits: where one reaches them, the other's fork(2) fails
with EAGAIN. They may also signal and trace each other if they ever share a process namespace. A user namespace gives
the Pod host ids that no other Pod has. Nothing is said about the host's uid 0, which RLIMIT_NPROC does not hold back.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import field_of_the_user, of_pod, who_chose_the_user

NAME = "uid-shared-with-pods"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint; its change gives the Pod a user namespace where it may have one."""
    if facts.predicted is None:
        return ()
    uid = facts.predicted.value.uid[0]
    if uid == 0 or uid not in facts.shared_uids:
        return ()
    spec = facts.pod.spec
    mappable = facts.node.userns_supported and not (spec.host_network or spec.host_pid or spec.host_ipc)
    remedy = "Give the Pod host ids of its own with hostUsers: false."
    if not mappable:
        remedy = "Use a runAsUser that no other Pod here has: a user namespace is out of the question for this Pod."
    return (
        Hint(
            NAME,
            facts.container.name,
            field_of_the_user(facts),
            f"Host uid {uid} is that of another Pod's processes on this machine too: they share the limits of their "
            "processes, inotify instances and pending signals.",
            remedy,
            (Change(of_pod(facts, "hostUsers"), False),) if mappable else (),
            who_chose_the_user(facts),
        ),
    )
