"""What plugins are told by a server's configuration, and which of them are at work.

Specification: Kubernetes, pkg/kubeapiserver/options/plugins.go DefaultOffAdmissionPlugins.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.json_value import JsonObject

OFF_BY_DEFAULT = frozenset(
    (
        "AlwaysAdmit", "AlwaysDeny", "AlwaysPullImages", "DenyServiceExternalIPs", "EventRateLimit",
        "ExtendedResourceToleration", "ImagePolicyWebhook", "LimitPodHardAntiAffinityTopology",
        "NamespaceAutoProvision", "NamespaceExists", "NodeRestriction", "OwnerReferencesPermissionEnforcement",
        "PodNodeSelector", "PodTolerationRestriction",
    )
)  # fmt: skip
"""Plugins that are at work only where `--enable-admission-plugins` names them."""
ABSENT = frozenset(("ImagePolicyWebhook", "MutatingAdmissionPolicy"))
"""Plugins of a real server that this one lacks."""


EVENT_LIMITS = ("Server", "Namespace", "User", "SourceAndObject")
"""What limits of Events can be of."""


class EventLimit(Struct, frozen=True):
    """So many Events a second, and so many at once: of the server, a namespace, a user, or a source and object."""

    of: str
    each_second: int
    at_once: int
    remembered: int = 4096


class QuotaLimit(Struct, frozen=True):
    """What may only be taken from a quota that names it."""

    group: str
    resource: str
    contains: tuple[str, ...] = ()


class PluginSettings(Struct, frozen=True):
    """The configuration of the plugins that have one, beside Pod Security's."""

    node_selectors: Mapping[str, str] = {}
    """PodNodeSelector: by namespace, and `clusterDefaultNodeSelector`."""
    default_tolerations: tuple[JsonObject, ...] | None = None
    allowed_tolerations: tuple[JsonObject, ...] = ()
    event_limits: tuple[EventLimit, ...] = ()
    quota_limits: tuple[QuotaLimit, ...] = ()


NO_SETTINGS = PluginSettings()
"""What holds where no file says anything."""
