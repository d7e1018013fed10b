"""containerd 2.2's default seccomp profile: what is not listed is refused (EPERM, the runtimes' own default).

Source: containerd/containerd release 2.2 `contrib/seccomp/seccomp_default.go`. `clone` may not make namespaces without
CAP_SYS_ADMIN; `clone3`, whose flags a filter can't see, then looks as if the kernel had none, so that libraries fall
back to `clone`. Virtual-machine sockets (AF_VSOCK) are refused to everybody.
"""

from __future__ import annotations

from podward.api.oci import SeccompArg
from podward.policy.runtime.defaults.seccomp_moby import ALWAYS
from podward.policy.runtime.seccomp_table import ERRNO, Condition, Profile, Rule

ENOSYS = 38
AF_VSOCK = 40
NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWCGROUP."""

BY_CAPABILITY = (
    ("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
    (
        "CAP_SYS_ADMIN",
        (
            "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
            "move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount "
            "umount2 unshare"
        ),
    ),
    ("CAP_SYS_BOOT", "reboot"),
    ("CAP_SYS_CHROOT", "chroot"),
    ("CAP_SYS_MODULE", "delete_module init_module finit_module"),
    ("CAP_SYS_PACCT", "acct"),
    (
        "CAP_SYS_PTRACE",
        "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    ),
    ("CAP_SYS_RAWIO", "iopl ioperm"),
    ("CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"),
    ("CAP_SYS_TTY_CONFIG", "vhangup"),
    ("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    ("CAP_SYSLOG", "syslog"),
    ("CAP_BPF", "bpf"),
    ("CAP_PERFMON", "perf_event_open"),
)

PROFILE = Profile(
    default_action=ERRNO,
    arch_map=(
        ("SCMP_ARCH_X86_64", ("SCMP_ARCH_X86", "SCMP_ARCH_X32")),
        ("SCMP_ARCH_AARCH64", ("SCMP_ARCH_ARM",)),
        ("SCMP_ARCH_S390X", ("SCMP_ARCH_S390",)),
        ("SCMP_ARCH_RISCV64", ()),
        ("SCMP_ARCH_LOONGARCH64", ()),
    ),
    rules=(
        Rule(ALWAYS + "lsm_get_self_attr lsm_list_modules lsm_set_self_attr"),
        Rule("socket", args=(SeccompArg(0, AF_VSOCK, op="SCMP_CMP_NE"),)),
        *(Rule("personality", args=(SeccompArg(0, value),)) for value in (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)),
        Rule("process_vm_readv process_vm_writev ptrace", when=Condition(from_kernel=(4, 8))),
        Rule("sync_file_range2 swapcontext", when=Condition(arches=("ppc64le",))),
        Rule(
            "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
            when=Condition(arches=("arm", "arm64")),
        ),
        Rule("arch_prctl modify_ldt", when=Condition(arches=("amd64",))),
        Rule("modify_ldt", when=Condition(arches=("386",))),
        Rule("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", when=Condition(arches=("s390", "s390x"))),
        Rule("riscv_flush_icache riscv_hwprobe", when=Condition(arches=("riscv64",))),
        *(Rule(names, when=Condition(capabilities=(capability,))) for capability, names in BY_CAPABILITY),
        Rule(
            "clone",
            args=(SeccompArg(0, NEW_NAMESPACES, op="SCMP_CMP_MASKED_EQ"),),
            when=Condition(without_capabilities=("CAP_SYS_ADMIN",), without_arches=("s390", "s390x")),
        ),
        # On s390 the flags are the second argument.
        Rule(
            "clone",
            args=(SeccompArg(1, NEW_NAMESPACES, op="SCMP_CMP_MASKED_EQ"),),
            when=Condition(without_capabilities=("CAP_SYS_ADMIN",), arches=("s390", "s390x")),
        ),
        Rule("clone3", ERRNO, ENOSYS, when=Condition(without_capabilities=("CAP_SYS_ADMIN",))),
    ),
)
