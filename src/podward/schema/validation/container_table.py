"""What is asked of containers, of what they are told and of what they are watched by; see `table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podward.schema.validation import (
    devices,
    downward,
    environment,
    handlers,
    local_path,
    mounts,
    ports,
    resources,
    restarts,
)
from podward.schema.validation.rules import (
    Always,
    Code,
    Each,
    Inside,
    May,
    Needed,
    One,
    Pointer,
    Rule,
    There,
)
from podward.schema.validation.values import (
    LABEL,
    NOT_NEGATIVE,
    PORT,
    PORT_REFERENCE,
    PULL_POLICY,
    SUBDOMAIN,
    named,
    one_of,
    text,
    within,
)

_RESTARTS = one_of("Always", "Never", "OnFailure")
_VARIABLE = text(environment.is_name, environment.name_faults)
_CONFIG_KEY = text(environment.is_key, environment.key_faults)
_AT_ONCE = within(1, 1, "must be 1")

_CONTAINER: tuple[Rule, ...] = (
    Needed("name", LABEL),
    Needed("image"),
    Needed("terminationMessagePolicy", one_of("File", "FallbackToLogsOnError")),
    Code(ports.check, ("ports",)),
    Each("env"),
    Code(environment.from_objects, ("envFrom",)),
    Code(mounts.check, ("volumeMounts",)),
    Code(devices.check, ("volumeDevices",)),
    Needed("imagePullPolicy", PULL_POLICY),
    Code(resources.of_container, ("resources",)),
    Code(restarts.resizing, ("resizePolicy",)),
    Inside("securityContext"),
)
_WATCHED: tuple[Rule, ...] = (
    Inside("lifecycle"),
    Inside("livenessProbe", "Probe/at once"),
    Inside("readinessProbe", "Probe/readiness"),
    Inside("startupProbe", "Probe/at once"),
)
_RESTARTED: tuple[Rule, ...] = (
    Pointer("restartPolicy", _RESTARTS),
    Code(restarts.rules, ("restartPolicyRules",)),
)
_ASKED: tuple[Rule, ...] = (
    One(
        ("exec", "httpGet", "tcpSocket", "grpc"),
        "must specify a handler type",
        "may not specify more than 1 handler type",
    ),
    Always("initialDelaySeconds", NOT_NEGATIVE),
    Always("timeoutSeconds", NOT_NEGATIVE),
    Always("periodSeconds", NOT_NEGATIVE),
    Always("successThreshold", NOT_NEGATIVE),
    Always("failureThreshold", NOT_NEGATIVE),
)

CONTAINERS: Mapping[str, Sequence[Rule]] = {
    "Container": (*_CONTAINER, *_WATCHED, *_RESTARTED),
    "Container/common": _CONTAINER,
    "Container/regular": (*_WATCHED, *_RESTARTED),
    "Container/init": (
        Pointer("restartPolicy", _RESTARTS),
        Code(restarts.rules_of_init, ("restartPolicyRules",)),
    ),
    "Container/sidecar": _WATCHED,
    "ContainerPort": (
        Needed("containerPort", PORT),
        May("hostPort", PORT),
        Needed("protocol", one_of("SCTP", "TCP", "UDP")),
    ),
    "EnvVar": (Needed("name", _VARIABLE), Code(environment.value_from, ("valueFrom",), environment.has_one_source)),
    "ObjectFieldSelector": (Code(downward.field_of_variable),),
    "ResourceFieldSelector": (Code(downward.resource_of_variable),),
    "ConfigMapKeySelector": (Always("name", SUBDOMAIN), Needed("key", _CONFIG_KEY)),
    "SecretKeySelector": (Always("name", SUBDOMAIN), Needed("key", _CONFIG_KEY)),
    "FileKeySelector": (
        Needed("key", _VARIABLE),
        Needed("volumeName", LABEL),
        Needed("path", named(local_path.backstep_faults)),
        Code(environment.note_file),
    ),
    "ContainerRestartRule": (
        Always("action", one_of("Restart", "RestartAllContainers")),
        There("exitCodes", "must be specified"),
        Inside("exitCodes"),
    ),
    "ContainerRestartRuleOnExitCodes": (Always("operator", one_of("In", "NotIn")), Code(restarts.codes)),
    "Lifecycle": (Inside("postStart"), Inside("preStop"), Code(handlers.stop_signal, ("stopSignal",))),
    "LifecycleHandler": (
        One(
            ("exec", "httpGet", "tcpSocket", "sleep"),
            "must specify a handler type",
            "may not specify more than 1 handler type",
        ),
    ),
    "Probe/at once": (
        *_ASKED,
        Code(handlers.grace_period, ("terminationGracePeriodSeconds",)),
        Always("successThreshold", _AT_ONCE),
    ),
    "Probe/readiness": (*_ASKED, Code(handlers.no_grace_period, ("terminationGracePeriodSeconds",))),
    "ExecAction": (Needed("command"),),
    "HTTPGetAction": (
        Needed("path"),
        Always("port", PORT_REFERENCE),
        Always("scheme", one_of("HTTP", "HTTPS")),
        Code(handlers.headers, ("httpHeaders",)),
    ),
    "TCPSocketAction": (Always("port", PORT_REFERENCE),),
    "GRPCAction": (Always("port", PORT),),
    "SleepAction": (Code(handlers.sleep),),
}
