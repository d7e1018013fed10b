"""The default seccomp profile of Docker 29. It refuses unlisted system calls with EPERM.

Source: moby/profiles `seccomp/default.json` as moby/moby 29 vendors it (commit 165507de). It has containerd's list of
system calls, but allows `lsm_*` only with CAP_SYS_ADMIN. Sockets of the families AF_ALG (38) and AF_VSOCK (40) are
refused to every container. No rule compares one argument twice, because runc would combine the comparisons with "or".
"""

from __future__ import annotations

from podward.api.oci import SeccompArg
from podward.policy.runtime.defaults.containerd_seccomp import ALWAYS, BY_CAPABILITY, ENOSYS, NEW_NAMESPACES
from podward.policy.runtime.seccomp_table import ERRNO, Condition, Profile, Rule

EPERM = 1
AF_ALG, AF_VSOCK = 38, 40
_LSM = " lsm_get_self_attr lsm_list_modules lsm_set_self_attr"

PROFILE = Profile(
    default_action=ERRNO,
    default_errno=EPERM,
    arch_map=(
        ("SCMP_ARCH_X86_64", ("SCMP_ARCH_X86", "SCMP_ARCH_X32")),
        ("SCMP_ARCH_AARCH64", ("SCMP_ARCH_ARM",)),
        ("SCMP_ARCH_S390X", ("SCMP_ARCH_S390",)),
        ("SCMP_ARCH_RISCV64", ()),
        ("SCMP_ARCH_LOONGARCH64", ()),
    ),
    rules=(
        Rule(ALWAYS + "riscv_hwprobe"),
        Rule("process_vm_readv process_vm_writev ptrace", when=Condition(from_kernel=(4, 8))),
        Rule("socket", args=(SeccompArg(0, AF_ALG, op="SCMP_CMP_LT"),)),
        Rule("socket", args=(SeccompArg(0, AF_ALG + 1),)),
        Rule("socket", args=(SeccompArg(0, AF_VSOCK, op="SCMP_CMP_GT"),)),
        *(Rule("personality", args=(SeccompArg(0, value),)) for value in (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)),
        Rule("sync_file_range2 swapcontext", when=Condition(arches=("ppc64le",))),
        Rule(
            "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
            when=Condition(arches=("arm", "arm64")),
        ),
        Rule("arch_prctl", when=Condition(arches=("amd64", "x32"))),
        Rule("modify_ldt", when=Condition(arches=("amd64", "x32", "x86"))),
        Rule("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", when=Condition(arches=("s390", "s390x"))),
        Rule("riscv_flush_icache", when=Condition(arches=("riscv64",))),
        *(
            Rule(names + (_LSM if capability == "CAP_SYS_ADMIN" else ""), when=Condition(capabilities=(capability,)))
            for capability, names in BY_CAPABILITY
        ),
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
