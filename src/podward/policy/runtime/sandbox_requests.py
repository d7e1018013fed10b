"""The sandboxes that a runtime refuses to make.

Specification, in our words: containerd 2.2 (`RunPodSandbox`, `sandboxContainerSpec`), CRI-O 1.33 (`runPodSandbox`) and
what runc says later of sysctls (`validateSysctl`) is said here before anything is made. Where a runtime would fail in
the middle (a host name that the kernel does not take) or would write what it is given into a file (a resolver's
address with a line break), the sentence is ours.
"""

from __future__ import annotations

from ipaddress import ip_address

from podward.api.cri import DNSConfig, IDMapping, NamespaceOption, PodSandboxConfig, PortMapping
from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.path import Key, Path, path
from podward.policy.runtime import user_namespace
from podward.policy.runtime.namespaces import of_sandbox
from podward.policy.runtime.request_refusal import is_plain, refuse_request
from podward.schema.validation.sysctls import is_name, namespace

LONGEST_HOSTNAME = 64
HIGHEST_PORT = 65535
LINUX = path("config", "linux")
CONTEXT = LINUX / "securityContext"
OPTIONS = CONTEXT / "namespaceOptions"
_MODES = {"network": ("POD", "NODE"), "ipc": ("POD", "NODE"), "pid": ("POD", "CONTAINER", "NODE")}
"""The modes of a sandbox's namespaces: it has nothing that it could share but its own and the node's."""


def check(config: PodSandboxConfig | None, runtime: str = "containerd") -> Decision:
    """What is wrong with the configuration of a RunPodSandbox request, for the runtime that is imitated."""
    if config is None or not config.metadata.name:
        return refuse_request(path("config", "metadata"), "", "sandbox config must include metadata")
    modes = of_sandbox(config)
    return merge(
        _metadata(config),
        _hostname(config.hostname),
        _directory(path("config", "logDirectory"), config.log_directory, "an absolute path without . and ..", "/"),
        _directory(LINUX / "cgroupParent", config.linux.cgroup_parent, "a path without . and .."),
        _dns(config.dns_config),
        *(_port(index, mapping) for index, mapping in enumerate(config.port_mappings)),
        _modes(modes),
        _user(config) if runtime != "cri-o" else Decision(),
        _sysctls(config, modes),
    )


def _directory(place: Path, directory: str, wanted: str, beginning: str = "") -> Decision:
    """A directory must be where its name says."""
    if not directory or (is_plain(directory) and "." not in directory.split("/") and directory.startswith(beginning)):
        return Decision()
    return refuse_request(place, directory, f"{place.segments[-1]} must be {wanted}, got {quote(directory)}")


def _metadata(config: PodSandboxConfig) -> Decision:
    if config.metadata.namespace:
        return Decision()
    return refuse_request(path("config", "metadata", "namespace"), "", "sandbox metadata must include a namespace")


def _hostname(name: str) -> Decision:
    if len(name.encode("utf-8", "surrogatepass")) <= LONGEST_HOSTNAME and name.isprintable() and " " not in name:
        return Decision()
    sentence = f"hostname {quote(name)} is none: at most {LONGEST_HOSTNAME} bytes without spaces"
    return refuse_request(path("config", "hostname"), name, sentence)


def _dns(config: DNSConfig | None) -> Decision:
    refused = Decision()
    if config is not None:
        for field, listed in (("servers", config.servers), ("searches", config.searches), ("options", config.options)):
            for index, word in enumerate(listed):
                if not word or not word.isprintable() or " " in word:
                    place = path("config", "dnsConfig", field, index)
                    refused += refuse_request(place, word, f"DNS {field} must be words, got {quote(word)}")
    return refused


def _port(index: int, mapping: PortMapping) -> Decision:
    place, refused = path("config", "portMappings", index), Decision()
    if not 0 <= mapping.host_port <= HIGHEST_PORT:
        sentence = f"host port {mapping.host_port} is none: 0 to {HIGHEST_PORT}"
        refused += refuse_request(place / "hostPort", mapping.host_port, sentence)
    if mapping.host_port > 0 and not 0 < mapping.container_port <= HIGHEST_PORT:
        sentence = f"container port {mapping.container_port} is none: 1 to {HIGHEST_PORT}"
        refused += refuse_request(place / "containerPort", mapping.container_port, sentence)
    if mapping.host_ip and not _is_address(mapping.host_ip):
        refused += refuse_request(place / "hostIp", mapping.host_ip, f"{quote(mapping.host_ip)} is no IP address")
    return refused


def mapping(config: PodSandboxConfig) -> IDMapping | None:
    """The ids of the sandbox's own user namespace, in a message that nothing is wrong with."""
    userns = of_sandbox(config).userns_options
    return userns.uids[0] if userns is not None and userns.mode == "POD" else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _modes(options: NamespaceOption) -> Decision:
    refused = Decision()
    for field, mode in (("network", options.network), ("pid", options.pid), ("ipc", options.ipc)):
        if mode not in _MODES[field]:
            sentence = f"a sandbox's {field} namespace is one of {', '.join(_MODES[field])}, not {quote(mode)}"
            refused += refuse_request(OPTIONS / field, mode, sentence)
    if fault := user_namespace.fault_of(options.userns_options):
        refused += refuse_request(OPTIONS / "usernsOptions", options.userns_options, fault)
    return refused


def _user(config: PodSandboxConfig) -> Decision:
    """A group alone is nobody (CRI `run_as_group`); containerd and Docker say so of sandboxes, too, CRI-O does not."""
    context = config.linux.security_context
    if context.run_as_group is None or context.run_as_user is not None:
        return Decision()
    sentence = f"user group {quote(str(context.run_as_group))} is specified without user"
    return refuse_request(CONTEXT / "runAsGroup", context.run_as_group, sentence)


_OF_HOST = {"net": "not allowed in host network namespace", "ipc": "is not allowed in the hosts ipc namespace"}


def _sysctls(config: PodSandboxConfig, options: NamespaceOption) -> Decision:
    """Nobody may set the machine's own sysctls; the node decides which of a Pod's are allowed."""
    refused, shared = Decision(), {"net": options.network == "NODE", "ipc": options.ipc == "NODE"}
    for name, value in config.linux.sysctls.items():
        kind, fault = namespace(name), ""
        if not is_name(name) or "\0" in value:
            fault = "is no sysctl"
        elif not kind:
            fault = "is not in a separate kernel namespace"
        elif shared[kind]:
            fault = _OF_HOST[kind]
        if fault:
            refused += refuse_request(LINUX / "sysctls" / Key(name), value, f"sysctl {quote(name)} {fault}")
    return refused
