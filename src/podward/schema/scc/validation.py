"""What OpenShift refuses in an SCC when it is written.

Specification: OpenShift's ValidateSecurityContextConstraints (openshift/kubernetes,
customresourcevalidation/securitycontextconstraints/validation), after defaulting, in its order: metadata, priority, the
strategies' types and ids, capabilities, privilege escalation, volumes, flexVolume drivers, sysctls. Names of
capabilities are compared as they are written. Types of volumes, seccomp profiles, users and groups may be anything.
`userNamespaceLevel` is held to its two values by the CRD's schema (openshift/api security/v1), not by that function.
An update must also leave the name alone and say a resourceVersion, which documents do not have; that is not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.scc import GroupStrategy, IDRange, SecurityContextConstraints
from podward.decision import Decision, merge
from podward.path import Path, path
from podward.schema.scc import sysctls
from podward.schema.scc.metadata import of_cluster_object
from podward.schema.validation.field import invalid, invalid_object, required, unsupported
from podward.schema.validation.internal import go_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json

_ANY = "RunAsAny"
_MUST = "MustRunAs"
USER_TYPES = (_MUST, "MustRunAsNonRoot", "MustRunAsRange", _ANY)
LABEL_TYPES = (_MUST, _ANY)
GROUP_TYPES = (_MUST, _ANY)
USER_NAMESPACE_LEVELS = ("AllowHostLevel", "RequirePodLevel")
_EVERY = "*"


def validate(scc: SecurityContextConstraints) -> Decision:
    """What is refused in the SCC, which has been through defaulting; paths are the SCC's own."""
    found = of_cluster_object(scc.metadata, path("metadata"))
    if scc.priority is not None and scc.priority < 0:
        found += invalid(path("priority"), scc.priority, "priority cannot be negative")
    return merge(
        found,
        _user(scc),
        _strategy(scc.se_linux_context.type, LABEL_TYPES, path("seLinuxContext", "type")),
        _groups(scc.fs_group, path("fsGroup")),
        _groups(scc.supplemental_groups, path("supplementalGroups")),
        _capabilities(scc),
        _escalation(scc),
        _volumes(scc),
        sysctls.validate(scc.allowed_unsafe_sysctls or (), scc.forbidden_sysctls or ()),
        _user_namespace(scc),
    )


def _strategy(written: str | None, known: Sequence[str], at: Path) -> Decision:
    if written in known:
        return Decision()
    # Two spaces: the server's sentence has them.
    return _word(at, written or "", f"invalid strategy type.  Valid values are {', '.join(known)}")


def _user(scc: SecurityContextConstraints) -> Decision:
    user, at = scc.run_as_user, path("runAsUser")
    found = _strategy(user.type, USER_TYPES, at / "type")
    if user.uid is not None and user.uid < 0:
        found += invalid(at / "uid", user.uid, "uid cannot be negative")
    return found


def _groups(strategy: GroupStrategy, at: Path) -> Decision:
    known = strategy.type in GROUP_TYPES
    found = [] if known else [unsupported(at / "type", strategy.type or "", GROUP_TYPES)]
    for index, written in enumerate(strategy.ranges or ()):
        found.append(_range(written, at / "ranges" / index))
    return merge(*found)


def _range(written: IDRange, at: Path) -> Decision:
    first, last = written.min or 0, written.max or 0
    found = Decision()
    if first < 0:
        found += invalid(at / "min", first, "min cannot be negative")
    if last < 0:
        found += invalid(at / "max", last, "max cannot be negative")
    if first > last:
        shown: dict[str, Json] = {name: value for name, value in (("min", first), ("max", last)) if value}
        found += invalid_object(at / "min", written, go_json(shown), "min cannot be greater than max")
    return found


def _capabilities(scc: SecurityContextConstraints) -> Decision:
    drops, allowed = scc.required_drop_capabilities or (), scc.allowed_capabilities or ()
    found: list[Decision] = []
    lists = (("defaultAddCapabilities", scc.default_add_capabilities or ()), ("allowedCapabilities", allowed))
    for name, capabilities in lists:
        detail = f"capability is listed in {name} and requiredDropCapabilities"
        found += [_word(path(name), capability, detail) for capability in capabilities if capability in drops]
    if _EVERY in allowed and drops:
        detail = "required capabilities must be empty when all capabilities are allowed by a wildcard"
        found.append(invalid_object(path("requiredDropCapabilities"), drops, go_json(list(drops)), detail))
    return merge(*found)


def _escalation(scc: SecurityContextConstraints) -> Decision:
    if scc.default_allow_privilege_escalation is not True or scc.allow_privilege_escalation is not False:
        return Decision()
    detail = "Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true"
    return invalid(path("defaultAllowPrivilegeEscalation"), True, detail)


def _volumes(scc: SecurityContextConstraints) -> Decision:
    volumes, drivers = scc.volumes or (), scc.allowed_flex_volumes or ()
    found: list[Decision] = []
    if "none" in volumes and len(volumes) > 1:
        detail = "if 'none' is specified, no other values are allowed"
        found.append(invalid_object(path("volumes"), volumes, go_json(list(volumes)), detail))
    at = path("allowedFlexVolumes")
    if not drivers:
        return merge(*found)
    if "flexVolume" in volumes or _EVERY in volumes:
        found += [
            required(at / index / "driver", "must specify a driver")
            for index, allowed in enumerate(drivers)
            if not allowed.driver
        ]
    else:
        listed: list[Json] = [{"driver": allowed.driver or ""} for allowed in drivers]
        detail = "volumes does not include 'flexVolume' or '*', so no flex volumes are allowed"
        found.append(invalid_object(at, drivers, go_json(listed), detail))
    return merge(*found)


def _user_namespace(scc: SecurityContextConstraints) -> Decision:
    level = scc.user_namespace_level
    if not level or level in USER_NAMESPACE_LEVELS:
        return Decision()
    return unsupported(path("userNamespaceLevel"), level, USER_NAMESPACE_LEVELS)


def _word(at: Path, value: str, detail: str) -> Decision:
    """The server's own string types print as JSON, where plain strings print as Go quotes them."""
    return invalid_object(at, value, go_json(value), detail)
