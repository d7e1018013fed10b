"""The seccomp filter in the spec.

Specification, in our words (containerd 2.2 `sputil.GenerateSeccompSpecOpts`, CRI-O 1.33 `setupSeccomp`, cri-dockerd
0.3 `getSeccompDockerOpts`): a privileged container has no filter. RuntimeDefault is the runtime's own profile, which
depends on the bounding set, the architecture and the kernel. Unconfined, or no profile at all, means no filter.
Localhost is a file of the node. Docker and CRI-O apply the conditions in a Localhost file as they do in their own
profile. containerd reads the file in the form of the runtime spec: `archMap`, `includes` and `excludes` have no effect,
and a rule with `name` instead of `names` is ignored. If a Localhost profile can't be read, the container is refused; it
never runs without the filter.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.gotext import quote
from podward.api.oci import Seccomp
from podward.decision import Decision, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.seccomp_table import Machine, Profile, resolve, to_spec

PLACE = path("linux", "seccomp")


def decide(
    context: LinuxContainerSecurityContext,
    localhost: Profile | None,
    machine: Machine,
    runtime: RuntimeProfile,
) -> Decision:
    """`linux.seccomp`, null for no filter; `localhost` is the parsed Localhost file, None if it can't be read."""
    if context.privileged:
        source = runtime.source_of("linux", "securityContext", "privileged")
        return assign(PLACE, None, "privileged: no seccomp filter", source)
    requested, source = context.seccomp, runtime.source_of("linux", "securityContext", "seccomp")
    if requested is None or requested.profile_type == "Unconfined":
        reason = "no seccomp profile is asked for" if requested is None else "Unconfined: no seccomp filter"
        return assign(PLACE, None, reason, source)
    if requested.profile_type == "RuntimeDefault":
        reason = f"RuntimeDefault: the profile of {runtime.source.name} for these capabilities"
        return assign(PLACE, resolve(default_profile(runtime.name), machine), reason, source)
    if requested.profile_type != "Localhost":
        return refuse(PLACE, requested.profile_type, "seccomp unknown ProfileType", source)
    if localhost is None:
        sentence = f"cannot load seccomp profile {quote(requested.localhost_ref)}: it is not there or can't be read"
        return refuse(PLACE, requested.localhost_ref, sentence, source)
    return assign(PLACE, _localhost(localhost, machine, runtime), f"Localhost: {requested.localhost_ref}", source)


def default_profile(runtime: str) -> Profile:
    """The runtime's own profile; its table is imported here, because most Pods do not need it."""
    if runtime == "cri-o":
        from podward.policy.runtime.defaults import crio_seccomp

        return crio_seccomp.PROFILE
    if runtime == "docker":
        from podward.policy.runtime.defaults import docker_seccomp

        return docker_seccomp.PROFILE
    from podward.policy.runtime.defaults import containerd_seccomp

    return containerd_seccomp.PROFILE


def _localhost(profile: Profile, machine: Machine, runtime: RuntimeProfile) -> Seccomp:
    if runtime.name != "containerd":
        return resolve(profile, machine)
    return to_spec(profile, profile.architectures, tuple(rule for rule in profile.rules if not rule.single_name))
