"""The seccomp filter.

Specification, in our words (containerd 2.2 `sputil.GenerateSeccompSpecOpts`, CRI-O 1.33 `setupSeccomp`, cri-dockerd
0.3 `getSeccompDockerOpts`): a privileged container has none. RuntimeDefault is the runtime's own profile, which
depends on the bounding set, the architecture and the kernel; Unconfined, or no profile at all, is none; Localhost is
the file of the node. Docker and CRI-O read a Localhost file's conditions as they read their own; containerd reads the
file as the runtime spec's own form: `archMap`, `includes` and `excludes` have no effect, and a rule written with
`name` names nothing. A Localhost profile that can't be read refuses the container: it never runs without.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.gotext import quote
from podward.api.oci import Seccomp
from podward.decision import Decision, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.seccomp_table import Machine, Profile, filtered, resolve

PLACE = path("linux", "seccomp")


def decide(
    context: LinuxContainerSecurityContext,
    localhost: Profile | None,
    machine: Machine,
    runtime: RuntimeProfile,
) -> Decision:
    """`linux.seccomp`, null where there is no filter; `localhost` is the file that Localhost names, None if unread."""
    if context.privileged:
        source = runtime.of("securityContext", "privileged")
        return assign(PLACE, None, "privileged: no seccomp filter", source)
    asked, source = context.seccomp, runtime.of("securityContext", "seccomp")
    if asked is None or asked.profile_type == "Unconfined":
        reason = "no seccomp profile is asked for" if asked is None else "Unconfined: no seccomp filter"
        return assign(PLACE, None, reason, source)
    if asked.profile_type == "RuntimeDefault":
        reason = f"RuntimeDefault: the profile of {runtime.source.name} for these capabilities"
        return assign(PLACE, resolve(default_profile(runtime.name), machine), reason, source)
    if asked.profile_type != "Localhost":
        return refuse(PLACE, asked.profile_type, "seccomp unknown ProfileType", source)
    if localhost is None:
        sentence = f"cannot load seccomp profile {quote(asked.localhost_ref)}: it is not there or can't be read"
        return refuse(PLACE, asked.localhost_ref, sentence, source)
    return assign(PLACE, _of_file(localhost, machine, runtime), f"Localhost: {asked.localhost_ref}", source)


def default_profile(runtime: str) -> Profile:
    """The runtime's own profile; its table is imported only here, because most Pods do not need it."""
    if runtime == "cri-o":
        from podward.policy.runtime.defaults import crio_seccomp

        return crio_seccomp.PROFILE
    if runtime == "docker":
        from podward.policy.runtime.defaults import docker_seccomp

        return docker_seccomp.PROFILE
    from podward.policy.runtime.defaults import containerd_seccomp

    return containerd_seccomp.PROFILE


def _of_file(profile: Profile, machine: Machine, runtime: RuntimeProfile) -> Seccomp:
    if runtime.name != "containerd":
        return resolve(profile, machine)
    return filtered(profile, profile.architectures, tuple(rule for rule in profile.rules if not rule.alone))
