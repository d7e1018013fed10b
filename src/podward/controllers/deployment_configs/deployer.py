"""One step of a rollout that runs: how large its ReplicationController and the one before it are to be, or its end.

Specification: openshift/oc, pkg/cli/deployer: deployer.go, strategy/recreate and strategy/rolling. Recreate: the one
before ends, then one Pod must be available, then all are made. Rolling: the new one grows as far as maxSurge lets it,
the old one shrinks as far as enough Pods are available; without one before it, all are made and must be available. A
rollout in which nothing gets better for timeoutSeconds has failed.
A hook comes before all that (pre), once the one before it has ended (mid, of Recreate alone), or last (post).
Ours: there is no deployer's Pod, but for custom strategies (`custom.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.controllers.apps.ownership import annotations_of, name_of
from podward.controllers.deployment_configs import hooks
from podward.controllers.deployment_configs.hooks import parameters, strategy_of
from podward.controllers.deployment_configs.rollouts import DESIRED, size_of, started_at
from podward.documents.raw_fields import member
from podward.schema.strategies.int_or_percent import scaled
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_TIMEOUT = 600
_STRATEGIES = frozenset(("Recreate", "Rolling"))


class Step(Struct, frozen=True):
    """The sizes of the new controller and of the one before; or that it is done, or why it has failed.

    With a `hook` it goes on once that one is over.
    """

    new: int
    old: int = 0
    done: bool = False
    failure: str = ""
    hook: str = ""


class Facts(Struct, frozen=True):
    """What a step is decided from. `pods`: those of the one before that have not ended; `better`: since when it is."""

    new: JsonObject
    old: JsonObject | None
    pods: int
    better: float | None
    now: float


def deadline(facts: Facts) -> float:
    """The seconds that are left for it to get better."""
    limit = number(parameters(facts.new), "timeoutSeconds") or _TIMEOUT
    since = max(started_at(facts.new) or facts.now, facts.better or 0.0, hooks.over_since(facts.new))
    return since + limit - facts.now


def wanted(controller: JsonObject) -> int | None:
    """The replicas that it is to have in the end; nothing where it ran to its end already."""
    written = annotations_of(controller).get(DESIRED)
    known = isinstance(written, str) and written.isascii() and written.isdecimal() and len(written) <= len("2147483647")
    return int(str(written)) if known else None


def decide(facts: Facts) -> Step:
    """The next step."""
    strategy, desired = text(strategy_of(facts.new), "type"), wanted(facts.new)
    old, new = size_of(facts.old) if facts.old is not None else 0, size_of(facts.new)
    kept = Step(new, old)
    if failure := _refusal(facts.new, strategy, desired):
        return Step(new, old, failure=failure)
    if desired is None:
        return kept
    due = hooks.due(facts.new)
    if hooks.PRE in due:
        return Step(new, old, hook=hooks.PRE)
    if facts.old is not None and strategy == "Rolling":
        step = _rolled(facts, facts.old, desired)
    else:
        step = _recreated(facts, desired, hooks.MID if hooks.MID in due else "")
    if step.done and hooks.POST in due:
        return Step(step.new, step.old, hook=hooks.POST)
    if not step.done and not step.hook and step == kept and deadline(facts) <= 0:
        what = (
            f"couldn't scale {name_of(facts.new)} to {desired}"
            if new != desired
            else f"update acceptor rejected {name_of(facts.new)}"
        )
        return Step(new, old, failure=f"{what}: timed out waiting for the condition")
    return step


def _refusal(controller: JsonObject, strategy: str, desired: int | None) -> str:
    """Why a rollout cannot be run at all."""
    if strategy not in _STRATEGIES:
        return f"unsupported strategy type: {strategy}"
    return f"deployment {name_of(controller)} has already run to completion" if desired is None else ""


def _state(controller: JsonObject, name: str) -> int:
    return number(member(controller, "status"), name)


def _recreated(facts: Facts, desired: int, hook: str) -> Step:
    new = size_of(facts.new)
    if facts.old is not None and (size_of(facts.old) or _state(facts.old, "replicas") or facts.pods):
        return Step(new)
    if hook:
        return Step(new, hook=hook)
    available, there = _state(facts.new, "availableReplicas"), _state(facts.new, "replicas")
    if facts.old is None or not desired:
        return Step(desired, done=new == there == desired and available >= desired)
    if available < 1:
        return Step(max(new, 1))
    return Step(desired, done=new == there == desired)


def _rolled(facts: Facts, before: JsonObject, desired: int) -> Step:
    rolling, new, old = parameters(facts.new), size_of(facts.new), size_of(before)
    surge = scaled(rolling.get("maxSurge"), desired, up=True)
    unavailable = scaled(rolling.get("maxUnavailable"), desired, up=False)
    if not surge and not unavailable:
        unavailable = 1
    grown = min(desired, new + max(0, desired + surge - new - old)) if new < desired else desired
    available = _state(facts.new, "availableReplicas")
    if new == desired and available >= desired:
        left = 0
    else:
        spare = _state(before, "availableReplicas") + available - (desired - unavailable)
        left = max(0, old - max(0, spare))
    return Step(grown, left, done=new == desired and not old and _state(facts.new, "replicas") == desired)
