"""The hooks of a rollout: which are due, how each begins, and what its end means.

Specification: openshift/oc, pkg/cli/deployer/strategy/support/lifecycle.go. A hook is a Pod that runs to its end, or
sets tags of image streams. One that fails ends the rollout, unless its failurePolicy is Ignore.

Ours: there is no deployer's Pod, in which this would be remembered: an annotation of the ReplicationController says
which hooks have begun, and since when each is over. There are no image streams, so that their tags cannot be set.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct, field

from podward.api.gotext import quote
from podward.controllers.apps.ownership import annotations_of, name_of, namespace_of
from podward.controllers.deployment_configs import hook_manifest
from podward.controllers.deployment_configs.rollouts import with_annotations
from podward.documents.raw_fields import member, objects
from podward.schema.openshift.rollouts import encoded_in
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

PRE, MID, POST = "pre", "mid", "post"
SUCCEEDED, FAILED, REFUSED = "Succeeded", "Failed", "Refused"
_END_OF_TIME = 1 << 40
_HOOKS = "podward.dev/deployment-hooks"
_PARAMETERS = {"Recreate": "recreateParams", "Rolling": "rollingParams"}
_OF = {"Recreate": (PRE, MID, POST), "Rolling": (PRE, POST)}


class Seen(Struct, frozen=True):
    """A Pod of a rollout: its phase, empty where there is none, why it failed or was refused, whose it is."""

    phase: str = ""
    message: str = ""
    rollout: str = ""


NOT_THERE = Seen()


def strategy_of(controller: JsonObject) -> JsonObject:
    """The strategy of the config that the controller was made of."""
    return member(member(encoded_in(controller) or {}, "spec"), "strategy")


def parameters(controller: JsonObject) -> JsonObject:
    """The parameters of the strategy."""
    strategy = strategy_of(controller)
    return member(strategy, _PARAMETERS.get(text(strategy, "type"), ""))


def hook_of(controller: JsonObject, name: str) -> JsonObject:
    """The hook of this name; empty where there is none."""
    return member(parameters(controller), name)


def due(controller: JsonObject) -> frozenset[str]:
    """The hooks that are not over."""
    known = _state(controller)
    names = _OF.get(text(strategy_of(controller), "type"), ())
    return frozenset(name for name in names if hook_of(controller, name) and known.get(name) is None)


def awaited(controller: JsonObject) -> str:
    """The hook that has begun and is not over."""
    return next((name for name, at in _state(controller).items() if at is None), "")


def over_since(controller: JsonObject) -> float:
    """When the last of those that are over came to its end."""
    return float(max((at for at in _state(controller).values() if at is not None), default=0))


def _noted(controller: JsonObject, name: str, over: float | None) -> JsonObject:
    """The controller, which says that the hook has begun, or is over."""
    state = {**_state(controller), name: int(over) if over is not None else None}
    return with_annotations(controller, {_HOOKS: json.dumps(state, separators=(",", ":"))})


def _state(controller: JsonObject) -> dict[str, int | None]:
    written = annotations_of(controller).get(_HOOKS)
    try:
        found = json.loads(written) if isinstance(written, str) else {}
    except (ValueError, RecursionError):
        return {}
    known = found.items() if isinstance(found, dict) else ()
    return {name: at for name, at in known if name in {PRE, MID, POST} and _is_moment(at)}


def _is_moment(at: object) -> bool:
    """Whether it is seconds, or nothing: whoever may write the annotation could have put any number there."""
    return at is None or (type(at) is int and 0 <= at < _END_OF_TIME)


# --- a step of a hook -------------------------------------------------------------------------------------------------


class HookStep(Struct):
    """What a hook does next: a Pod that is made, what its controller then says, events, and why the rollout failed."""

    pod: JsonObject | None = None
    noted: JsonObject | None = None
    events: list[tuple[str, str, str]] = field(default_factory=list)
    failure: str = ""


def step(controller: JsonObject, name: str, seen: Seen, now: float) -> HookStep:
    """The next step of the hook that the rollout has come to; nothing where its Pod is waited for."""
    if seen.phase == FAILED:
        return _failed(controller, name, seen.message, now, HookStep())
    if seen.phase == REFUSED:
        why = f"couldn't create lifecycle pod for {name_of(controller)}: {seen.message}"
        return _failed(controller, name, why, now, HookStep())
    if awaited(controller) != name:
        return _begun(controller, name, now)
    if seen.phase == SUCCEEDED:
        told = ("Normal", "Completed", f"The {name}-hook for rc {_where(controller)} completed successfully")
        return HookStep(noted=_noted(controller, name, now), events=[told])
    if seen == NOT_THERE:
        pod = f"pod/{hook_manifest.name_of_pod(controller, name)}[{namespace_of(controller)}]"
        return _failed(controller, name, f"{name}: {pod} unexpectedly deleted", now, HookStep())
    return HookStep()


def _begun(controller: JsonObject, name: str, now: float) -> HookStep:
    hook = hook_of(controller, name)
    told = HookStep(events=[("Normal", "Started", _begins(controller, name, hook))])
    if tags := objects(hook, "tagImages"):
        return _failed(controller, name, _no_tags(controller, tags), now, told)
    pod = hook_manifest.made(controller, hook, strategy_of(controller), name, now)
    if isinstance(pod, str):
        return _failed(controller, name, pod, now, told)
    told.pod, told.noted = pod, _noted(controller, name, None)
    return told


def _failed(controller: JsonObject, name: str, why: str, now: float, told: HookStep) -> HookStep:
    where = _where(controller)
    if hook_of(controller, name).get("failurePolicy") == "Ignore":
        sentence = f"The {name}-hook failed: {why} (ignore), rollout of {where} will continue"
        told.noted = _noted(controller, name, now)
    else:
        sentence = f"The {name}-hook failed: {why}, aborting rollout of {where}"
        told.failure = f"{name} hook failed: the {name} hook failed: {why}, aborting rollout of {where}"
    told.events.append(("Warning", "Failed", sentence))
    return told


def _begins(controller: JsonObject, name: str, hook: JsonObject) -> str:
    where = _where(controller)
    if tags := objects(hook, "tagImages"):
        images = [(_image(controller, tag), text(member(tag, "to"), "name")) for tag in tags]
        listed = ",".join(f"image {quote(image)} as {quote(to)}" for image, to in images if image is not None)
        return f"Running {name}-hook (TagImages) {listed} for rc {where}"
    words = member(hook, "execNewPod").get("command")
    command = " ".join(word for word in words if isinstance(word, str)) if isinstance(words, list) else ""
    return f"Running {name}-hook ({quote(command)}) for rc {where}"


def _no_tags(controller: JsonObject, tags: list[JsonObject]) -> str:
    """What a server without image streams answers."""
    why = [
        f"unable to find image for container {quote(text(tag, 'containerName'))}, container could not be found"
        if _image(controller, tag) is None
        else "the server could not find the requested resource"
        f" (put imagestreamtags.image.openshift.io {text(member(tag, 'to'), 'name')})"
        for tag in tags
    ]
    different = list(dict.fromkeys(why))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"


def _where(controller: JsonObject) -> str:
    return f"{namespace_of(controller)}/{name_of(controller)}"


def _image(controller: JsonObject, tag: JsonObject) -> str | None:
    container = hook_manifest.container_of(controller, text(tag, "containerName"))
    return text(container, "image") if container is not None else None
