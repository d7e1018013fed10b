"""Processes of other Pods on this machine have the same host uid.

Specification (setrlimit(2) RLIMIT_NPROC, inotify(7), mq_overview(7), user_namespaces(7)), in our words: the kernel
counts processes, inotify instances, pending signals and message queues for each real uid of the host, not for each
container. Pods with the same host uid share these limits: if one Pod reaches a limit, the other's fork(2) fails with
EAGAIN. Their processes may also signal and trace each other if they share a PID namespace. A user namespace gives the
Pod host ids that no other Pod has. No hint is given about the host's uid 0, which RLIMIT_NPROC does not limit.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.policy.hints.facts import HintFacts, pod_field, user_field, user_source

NAME = "uid-shared-with-pods"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint; its change gives the Pod a user namespace if it can have one."""
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
            user_field(facts),
            f"Host uid {uid} is that of another Pod's processes on this machine too: they share the limits of their "
            "processes, inotify instances and pending signals.",
            remedy,
            (Change(pod_field(facts, "hostUsers"), False),) if mappable else (),
            user_source(facts),
        ),
    )
