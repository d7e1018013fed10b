"""DeploymentConfigs: what is refused, and what a client may change.

Specification: openshift/openshift-apiserver, pkg/apps/apis/apps/validation and pkg/apps/apiserver/registry: its status
is for its controller, but for the number of the latest rollout, which whoever updates may raise by one. Selectors and
templates may change. A container whose image a trigger gives needs none of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta, templates, workloads
from podward.schema.strategies.equality import same
from podward.schema.strategies.int_or_percent import amount, is_percentage
from podward.schema.strategies.kind import anew, changes, in_order, raised
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS, not_negative
from podward.schema.validation import labels, metadata, resources
from podward.schema.validation.field import NOTHING, Place, invalid, invalid_value, required
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_HISTORY, _TIMEOUT = 10, 600
_IMAGE_TAG = "ImageStreamTag"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE_RULE = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters"
    " or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
)
_STRATEGY, _LABELS = SPEC / "strategy", labels.of("labels")


def _config(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    template, strategy = spec.get("template"), member(spec, "strategy")
    found = [_trigger(each, SPEC / "triggers" / index) for index, each in enumerate(objects(spec, "triggers"))]
    if isinstance(template, dict):
        found.append(_strategy(strategy, member(template, "spec")))
    found += [not_negative(spec, ("revisionHistoryLimit", "minReadySeconds"), SPEC), *_ready_in_time(spec, strategy)]
    if isinstance(template, dict):
        found.append(_template(spec, template))
    else:
        found.append(required(SPEC / "template"))
    replicas = number(spec, "replicas")
    if replicas < 0:
        found.append(invalid(SPEC / "replicas", replicas, "replicas cannot be negative"))
    if not member(spec, "selector"):
        found.append(invalid_value(SPEC / "selector", spec.get("selector"), "selector cannot be empty"))
    return merge(*found)


def _ready_in_time(spec: JsonObject, strategy: JsonObject) -> Iterator[Decision]:
    ready, timeout, at = number(spec, "minReadySeconds"), _timeout(strategy), SPEC / "minReadySeconds"
    limit = _TIMEOUT if timeout is None else timeout
    if 0 < limit <= ready:
        yield invalid(at, ready, f"must be less than the deployment timeout ({limit}s)")
    deadline = strategy.get("activeDeadlineSeconds")
    if type(deadline) is int and ready >= deadline:
        yield invalid(at, ready, f"must be less than activeDeadlineSeconds ({deadline}s - used by the deployer pod)")


def _timeout(strategy: JsonObject) -> int | None:
    for name in ("rollingParams", "recreateParams"):
        seconds = member(strategy, name).get("timeoutSeconds")
        if type(seconds) is int:
            return seconds
    return None


def _template(spec: JsonObject, template: JsonObject) -> Decision:
    at, given = SPEC / "template", {name for each in objects(spec, "triggers") for name in _containers_of(each)}
    pod = member(template, "spec")
    filled: list[Json] = [_with_image(each, given) for each in objects(pod, "containers")]
    whole = {**template, "spec": {**pod, "containers": filled}} if filled else template
    selector = member(spec, "selector")
    found = [workloads.unmatched({"matchLabels": selector}, whole, at)] if selector else []
    return merge(*found, templates.check(whole, at), workloads.restarted(whole, at, "ReplicationController"))


def _containers_of(trigger: JsonObject) -> tuple[str, ...]:
    image = member(trigger, "imageChangeParams")
    return tuple(texts(image, "containerNames")) if trigger.get("type") == "ImageChange" else ()


def _with_image(container: JsonObject, given: set[str]) -> JsonObject:
    return (
        {**container, "image": "unset"} if not container.get("image") and container.get("name") in given else container
    )


def _trigger(trigger: JsonObject, at: Place) -> Decision:
    if not text(trigger, "type"):
        return required(at / "type")
    if trigger["type"] != "ImageChange":
        return NOTHING
    image, place = trigger.get("imageChangeParams"), at / "imageChangeParams"
    if not isinstance(image, dict):
        return required(place)
    source, found = member(image, "from"), []
    if not text(source, "name"):
        found.append(required(place / "from"))
    else:
        found += _image_stream(source, place / "from")
    if not texts(image, "containerNames"):
        found.append(required(place / "containerNames"))
    return merge(*found)


def _image_stream(source: JsonObject, at: Place) -> Iterator[Decision]:
    if source.get("kind") != _IMAGE_TAG:
        yield invalid(at / "kind", text(source, "kind"), "kind must be an ImageStreamTag")
    name, colon, tag = text(source, "name").partition(":")
    if not colon or not name or not tag or ":" in tag:
        yield invalid(at / "name", text(source, "name"), "must be in the form of <name>:<tag>")
    namespace = text(source, "namespace")
    if namespace and subdomain_faults(namespace):
        yield invalid(at / "namespace", namespace, "namespace must be a valid subdomain")


# --- how it rolls out -------------------------------------------------------------------------------------------------


def _strategy(strategy: JsonObject, pod: JsonObject) -> Decision:
    kind, found = text(strategy, "type"), list[Decision]()
    custom = strategy.get("customParams")
    if isinstance(custom, dict):
        found.append(_variables(custom, "environment", _STRATEGY / "customParams"))
    if kind not in {"Rolling", "Recreate", "Custom"}:
        detail = 'unsupported strategy type, use "Custom" instead and specify your own strategy'
        found.append(invalid(_STRATEGY / "type", kind, detail))
    needed = {"Rolling": "rollingParams", "Custom": "customParams"}.get(kind)
    if needed is not None and strategy.get(needed) is None:
        found.append(required(_STRATEGY / needed))
    for name, check, kinds in (
        ("rollingParams", _rolling, ("Rolling", "Custom")),
        ("recreateParams", _recreate, ("Recreate", "Custom")),
    ):
        params = strategy.get(name)
        if isinstance(params, dict) and kind in kinds:
            found.append(check(params, pod, _STRATEGY / name))
    scope = Scope(WALKS, "", strategy)
    found.append(_LABELS(strategy, scope, _STRATEGY))
    if strategy.get("annotations"):
        found.append(metadata.check_annotations(strategy, scope, _STRATEGY))
    claims = frozenset(text(each, "name") for each in objects(pod, "resourceClaims")) - {""}
    found.append(resources.check(member(strategy, "resources"), claims, _STRATEGY / "resources"))
    return merge(*found, _deadline(strategy))


def _deadline(strategy: JsonObject) -> Decision:
    deadline, at = strategy.get("activeDeadlineSeconds"), _STRATEGY / "activeDeadlineSeconds"
    if type(deadline) is not int:
        return NOTHING
    timeout, found = _timeout(strategy), not_negative(strategy, ("activeDeadlineSeconds",), _STRATEGY)
    if timeout is not None and deadline <= timeout:
        found += invalid(at, deadline, "activeDeadlineSeconds must be greater than timeoutSeconds")
    return found


def _positive(params: JsonObject, fields: tuple[str, ...], at: Place) -> list[Decision]:
    return [
        invalid(at / name, value, "must be >0")
        for name in fields
        if type(value := params.get(name)) is int and value < 1
    ]


def _recreate(params: JsonObject, pod: JsonObject, at: Place) -> Decision:
    hooks = (_hook(params[name], pod, at / name) for name in ("pre", "mid", "post") if params.get(name) is not None)
    return merge(*_positive(params, ("timeoutSeconds",), at), *hooks)


def _rolling(params: JsonObject, pod: JsonObject, at: Place) -> Decision:
    found = _positive(params, ("intervalSeconds", "updatePeriodSeconds", "timeoutSeconds"), at)
    unavailable, surge = params.get("maxUnavailable"), params.get("maxSurge")
    found += [_share(unavailable, at / "maxUnavailable"), _share(surge, at / "maxSurge")]
    if _share_of(unavailable) == 0 and _share_of(surge) == 0:
        shown: Json = 0 if unavailable is None else unavailable
        found.append(invalid_value(at / "maxUnavailable", shown, "cannot be 0 when maxSurge is 0 as well"))
    if isinstance(unavailable, str) and _share_of(unavailable) > 100:
        found.append(invalid_value(at / "maxUnavailable", unavailable, "should not be more than 100%"))
    found += [_hook(params[name], pod, at / name) for name in ("pre", "post") if params.get(name) is not None]
    return merge(*found)


def _share(value: Json, at: Place) -> Decision:
    if isinstance(value, str):
        return NOTHING if is_percentage(value) else invalid_value(at, value, "value should be int(5) or percentage(5%)")
    return invalid(at, value, "must be non-negative") if type(value) is int and value < 0 else NOTHING


def _share_of(value: Json) -> int:
    """The number, or the percentage; a text that is none counts as 0."""
    return 0 if isinstance(value, str) and not is_percentage(value) else amount(value)


def _hook(hook: Json, pod: JsonObject, at: Place) -> Decision:
    of: JsonObject = hook if isinstance(hook, dict) else {}
    found = [] if text(of, "failurePolicy") else [required(at / "failurePolicy")]
    program, images = of.get("execNewPod"), objects(of, "tagImages")
    if isinstance(program, dict) and images:
        found.append(invalid(at, "<hook>", "only one of 'execNewPod' or 'tagImages' may be specified"))
    elif isinstance(program, dict):
        found += _program(program, at / "execNewPod")
    elif images:
        found += [_image(each, pod, at / "tagImages" / index) for index, each in enumerate(images)]
    else:
        found.append(invalid(at, "<empty>", "One of execNewPod or tagImages must be specified"))
    return merge(*found)


def _program(program: JsonObject, at: Place) -> Iterator[Decision]:
    if not texts(program, "command"):
        yield required(at / "command")
    if not text(program, "containerName"):
        yield required(at / "containerName")
    yield _variables(program, "env", at)
    for index, volume in enumerate(texts(program, "volumes")):
        if not volume:
            yield invalid(at / "volumes" / index, "", "must not be empty")


def _image(image: JsonObject, pod: JsonObject, at: Place) -> Decision:
    found, container, target = list[Decision](), text(image, "containerName"), member(image, "to")
    known = [text(each, "name") for name in ("containers", "initContainers") for each in objects(pod, name)]
    if not container:
        found.append(required(at / "containerName", "a containerName is required"))
    elif container not in known:
        found.append(invalid(at / "containerName", container, f'no container "{container}" found'))
    if text(target, "kind") != _IMAGE_TAG:
        found.append(invalid(at / "to" / "kind", text(target, "kind"), "Must be 'ImageStreamTag'"))
    if not text(target, "name"):
        found.append(required(at / "to" / "name", "a destination tag name is required"))
    return merge(*found)


def _variables(owner: JsonObject, field: str, at: Place) -> Decision:
    found = []
    for index, variable in enumerate(objects(owner, field)):
        place, name = at / field / index / "name", text(variable, "name")
        if not name:
            found.append(required(place))
        if _VARIABLE.fullmatch(name) is None:
            found.append(invalid(place, name, _VARIABLE_RULE))
    return merge(*found)


# --- status and changes -----------------------------------------------------------------------------------------------

_COUNTS = (
    "latestVersion", "observedGeneration", "replicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
)  # fmt: skip


def _status(obj: JsonObject) -> Decision:
    return not_negative(member(obj, "status"), _COUNTS, STATUS)


def _status_change(obj: JsonObject, old: JsonObject) -> Decision:
    now, before = member(obj, "status"), member(old, "status")
    less = [name for name in ("latestVersion", "observedGeneration") if number(now, name) < number(before, name)]
    found = [invalid(STATUS / name, number(now, name), f"{name} cannot be decremented") for name in less]
    return merge(_status(obj), *found)


def _begun(obj: JsonObject) -> JsonObject:
    spec = member(obj, "spec")
    made: JsonObject = {**spec}
    if spec.get("revisionHistoryLimit") is None:
        made["revisionHistoryLimit"] = _HISTORY
    triggers: list[Json] = [_untriggered(each) for each in objects(spec, "triggers")]
    if triggers:
        made["triggers"] = triggers
    return {**obj, "metadata": {**member(obj, "metadata"), "generation": 1}, "spec": made, "status": {}}


def _untriggered(trigger: JsonObject) -> JsonObject:
    image = trigger.get("imageChangeParams")
    if not isinstance(image, dict) or "lastTriggeredImage" not in image:
        return trigger
    kept = {name: value for name, value in image.items() if name != "lastTriggeredImage"}
    return {**trigger, "imageChangeParams": kept}


def _changed(obj: JsonObject, old: JsonObject) -> JsonObject:
    before = member(old, "status")
    latest, wanted = number(before, "latestVersion"), number(member(obj, "status"), "latestVersion")
    status: JsonObject = {**before, "latestVersion": wanted} if wanted == latest + 1 else before
    return _next({**obj, "status": status}, old)


def instantiated(obj: JsonObject, old: JsonObject) -> JsonObject:
    """A change that begins a rollout: of the status, its number and its causes."""
    wanted = member(obj, "status")
    status = {**member(old, "status"), "latestVersion": wanted.get("latestVersion"), "details": wanted.get("details")}
    return _next({**obj, "status": status}, old)


def _next(obj: JsonObject, old: JsonObject) -> JsonObject:
    latest = number(member(obj, "status"), "latestVersion") == number(member(old, "status"), "latestVersion")
    return obj if latest and same(obj.get("spec"), old.get("spec")) else raised(obj, old)


CONFIG = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _config, _status),
    validate_update=changes(object_meta.changed, anew(_config), _status_change),
    prepare_for_create=_begun,
    prepare_for_update=_changed,
    allow_unconditional_update=False,
)
CONFIG_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status_change),
    prepare_for_update=workloads.keeping_spec("labels"),
    allow_unconditional_update=False,
)
CONFIG_INSTANTIATE = Strategy(
    validate_update=CONFIG.validate_update, prepare_for_update=instantiated, allow_unconditional_update=False
)
"""Of the three: a config, its status, and the beginning of a rollout."""
