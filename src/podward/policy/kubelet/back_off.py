"""How long a container that keeps ending, or an image that cannot be pulled, waits before the next attempt.

Specification (k8s.io/client-go util/flowcontrol Backoff, as the kubelet uses it, in our words): the first attempt after
a failure is made at once, and from then on the wait is 10 s; each further attempt doubles it, up to 300 s. A wait is
counted from the failure: a container's end, an image's refusal. Who failed more than 600 s after the last attempt
begins anew.
"""

from __future__ import annotations

from podward.api.pod_seen import BackOff
from podward.policy.kubelet.lifecycle import FIRST_BACKOFF, LONGEST_BACKOFF, RESET_AFTER


def until(state: BackOff | None, failed: float) -> float:
    """The moment before which nothing is tried, after a failure at the moment `failed`; 0 for no wait."""
    if state is None or failed - state.updated > RESET_AFTER:
        return 0.0
    return failed + state.seconds


def after(state: BackOff | None, failed: float, now: float) -> BackOff:
    """The state from now on, as the next attempt is made after a failure at the moment `failed`."""
    if state is None or failed - state.updated > RESET_AFTER:
        return BackOff(FIRST_BACKOFF, now)
    return BackOff(min(LONGEST_BACKOFF, state.seconds * 2), now)
