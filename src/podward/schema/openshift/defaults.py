"""What an API server of OpenShift sets where a field is not set: importing this module makes it known.

Specification: openshift/openshift-apiserver, pkg/apps/apis/apps/v1/defaults.go and the generated defaults of pkg/apps
and pkg/security. A template of a Pod has its defaults as everywhere. What the server's own form changes (`conversion`)
is the template's, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from podward.documents.raw_fields import member, objects
from podward.schema import conversion, served_defaults
from podward.schema.filling import Default, Into, Row
from podward.schema.served_defaults import derived

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_MINUTES_10, _HOURS_6 = 600, 21600
_QUARTER = "25%"
_NONE: tuple[Json, ...] = (0, "0%")


def _triggered_from(config: JsonObject) -> Mapping[str, Json]:
    """Images that trigger come from the config's own namespace."""
    spec = member(config, "spec")
    namespace = member(config, "metadata").get("namespace") or ""
    made: list[Json] = [_trigger(each, namespace) for each in objects(spec, "triggers")]
    return {} if made == spec.get("triggers") or not made else {"spec": {**spec, "triggers": made}}


def _trigger(trigger: JsonObject, namespace: Json) -> JsonObject:
    image = trigger.get("imageChangeParams")
    if not isinstance(image, dict):
        return trigger
    source = member(image, "from")
    full: JsonObject = {"kind": source.get("kind") or "ImageStreamTag"}
    if where := source.get("namespace") or namespace:
        full["namespace"] = where
    return {**trigger, "imageChangeParams": {**image, "from": {**source, **full}}}


def _spec(spec: JsonObject) -> Mapping[str, Json]:
    made: dict[str, Json] = {}
    if spec.get("triggers") is None:
        made["triggers"] = [{"type": "ConfigChange"}]
    template = spec.get("template")
    if not isinstance(template, dict):
        return made
    labels = member(template, "metadata").get("labels")
    if not spec.get("selector") and labels:
        made["selector"] = labels
    containers = objects(member(template, "spec"), "containers")
    if len(containers) == 1:
        strategy = member(spec, "strategy")
        named = _hooked(strategy, str(containers[0].get("name") or ""))
        if named != strategy:
            made["strategy"] = named
    return made


def _hooked(strategy: JsonObject, container: str) -> JsonObject:
    """The strategy, whose hooks are those of the only container."""
    made = dict(strategy)
    for params in ("recreateParams", "rollingParams"):
        written = strategy.get(params)
        if isinstance(written, dict):
            hooks = {name: _hook(hook, container) for name in ("pre", "mid", "post") if (hook := written.get(name))}
            made[params] = {**written, **hooks}
    return made


def _hook(hook: Json, container: str) -> Json:
    if not isinstance(hook, dict):
        return hook
    made = dict(hook)
    images: list[Json] = [_named(each, container) for each in objects(hook, "tagImages")]
    if images:
        made["tagImages"] = images
    program = hook.get("execNewPod")
    if isinstance(program, dict):
        made["execNewPod"] = _named(program, container)
    return made


def _named(of: JsonObject, container: str) -> JsonObject:
    return of if of.get("containerName") else {**of, "containerName": container}


def _strategy(strategy: JsonObject) -> Mapping[str, Json]:
    kind = strategy.get("type") or "Rolling"
    made: dict[str, Json] = {}
    if kind == "Rolling" and strategy.get("rollingParams") is None:
        made["rollingParams"] = {**_PACE, "maxUnavailable": _QUARTER, "maxSurge": _QUARTER}
    if kind == "Recreate" and strategy.get("recreateParams") is None:
        made["recreateParams"] = {"timeoutSeconds": _MINUTES_10}
    return made


_PACE: JsonObject = {"updatePeriodSeconds": 1, "intervalSeconds": 1, "timeoutSeconds": _MINUTES_10}


def _rolling(params: JsonObject) -> Mapping[str, Json]:
    unavailable, surge = params.get("maxUnavailable"), params.get("maxSurge")
    made: dict[str, Json] = {}
    if unavailable is None and (surge is None or surge in _NONE):
        made["maxUnavailable"] = _QUARTER
    if surge is None and (unavailable is None or unavailable in _NONE):
        made["maxSurge"] = _QUARTER
    return made


def _unset(name: str, value: Json) -> Default:
    return Default(name, value, unset=(None,))


_TEMPLATE: tuple[Row, ...] = (Into("template"),)
_SPEC: tuple[Row, ...] = (Into("spec"),)
_REVIEWS = ("PodSecurityPolicyReview", "PodSecurityPolicySelfSubjectReview", "PodSecurityPolicySubjectReview")
_TEMPLATES: Mapping[str, Sequence[Row]] = {
    **dict.fromkeys(("DeploymentConfig", *_REVIEWS), _SPEC),
    **{f"{name}Spec": _TEMPLATE for name in ("DeploymentConfig", *_REVIEWS)},
}
_ROWS: Mapping[str, Sequence[Row]] = {
    **_TEMPLATES,
    "DeploymentConfig": (derived(_triggered_from), Into("spec")),
    "DeploymentConfigSpec": (Into("strategy"), Into("template"), derived(_spec)),
    "DeploymentConfigStrategy": (
        Default("type", "Rolling", unset=(None, "")),
        _unset("activeDeadlineSeconds", _HOURS_6),
        derived(_strategy),
        Into("recreateParams"),
        Into("rollingParams"),
    ),
    "RecreateDeploymentStrategyParams": (_unset("timeoutSeconds", _MINUTES_10),),
    "RollingDeploymentStrategyParams": (*[_unset(name, value) for name, value in _PACE.items()], derived(_rolling)),
}
served_defaults.DEFAULTS.update(_ROWS)
conversion.CHANGES.update(_TEMPLATES)
