"""The default seccomp profile of CRI-O 1.33. It answers unlisted system calls with ENOSYS.

Source: containers/common 0.62 `pkg/seccomp/default_linux.go`. CRI-O (`internal/config/seccomp/seccomp.go`) removes
`unshare` from the calls that are always allowed, and allows it with CAP_SYS_ADMIN. A system call that needs a
capability is answered with EPERM if the container lacks it, so that programs see a refusal and not an old kernel.
`clone`, `clone3`, `mount` and `setns` are always allowed; the kernel checks them itself.
"""

from __future__ import annotations

from podward.api.oci import SeccompArg
from podward.policy.runtime.seccomp_table import ALLOW, ERRNO, Condition, Profile, Rule

EPERM, EINVAL, ENOSYS = 1, 22, 38
AF_NETLINK, NETLINK_AUDIT = 16, 9

ALWAYS = """
_llseek _newselect accept accept4 access adjtimex alarm bind brk capget capset chdir chmod chown chown32
clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 clone clone3 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve
execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat
fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsconfig
fsetxattr fsmount fsopen fspick fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
futex_time64 futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl ioprio_get ioprio_set ipc keyctl kill
landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen
listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise mbind membarrier memfd_create memfd_secret
mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mount mount_setattr move_mount mprotect
mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open
open_tree openat openat2 pause pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pivot_root pkey_alloc pkey_free
pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv
process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir readlink
readlinkat readv reboot recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr rename renameat
renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy set_robust_list
set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32
setitimer setns setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaction
sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend socketcall socketpair splice stat
stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs syscall sysinfo syslog tee tgkill time
timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd
timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64
ugetrlimit umask umount umount2 uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork wait4 waitid
waitpid write writev
"""
NEVER = """
bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl nice oldfstat oldlstat
oldolduname oldstat olduname pciconfig_iobase pciconfig_read pciconfig_write sgetmask ssetmask swapcontext swapoff
swapon sysfs uselib userfaultfd ustat vm86 vm86old vmsplice
"""

_BY_CAPABILITY = (
    ("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
    (
        "CAP_SYS_ADMIN",
        "bpf fanotify_init lookup_dcookie perf_event_open quotactl setdomainname sethostname setns",
    ),
    ("CAP_SYS_CHROOT", "chroot"),
    ("CAP_SYS_MODULE", "delete_module finit_module init_module query_module"),
    ("CAP_SYS_PACCT", "acct"),
    ("CAP_SYS_PTRACE", "kcmp process_madvise"),
    ("CAP_SYS_RAWIO", "ioperm iopl"),
    ("CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"),
    ("CAP_SYS_TTY_CONFIG", "vhangup"),
)
_WITHOUT_AUDIT = Condition(without_capabilities=("CAP_AUDIT_WRITE",))

PROFILE = Profile(
    default_action=ERRNO,
    default_errno=ENOSYS,
    arch_map=(
        ("SCMP_ARCH_X86_64", ("SCMP_ARCH_X86", "SCMP_ARCH_X32")),
        ("SCMP_ARCH_AARCH64", ("SCMP_ARCH_ARM",)),
        ("SCMP_ARCH_S390X", ("SCMP_ARCH_S390",)),
    ),
    rules=(
        Rule(NEVER, ERRNO, EPERM),
        Rule(ALWAYS),
        *(Rule("personality", args=(SeccompArg(0, value),)) for value in (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)),
        Rule("sync_file_range2", when=Condition(arches=("ppc64le",))),
        Rule(
            "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
            when=Condition(arches=("arm", "arm64")),
        ),
        Rule("arch_prctl", when=Condition(arches=("amd64", "x32"))),
        Rule("modify_ldt", when=Condition(arches=("amd64", "x32", "x86"))),
        Rule("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", when=Condition(arches=("s390", "s390x"))),
        *(
            rule
            for capability, names in _BY_CAPABILITY
            for rule in (
                Rule(names, when=Condition(capabilities=(capability,))),
                Rule(names, ERRNO, EPERM, when=Condition(without_capabilities=(capability,))),
            )
        ),
        # Without CAP_AUDIT_WRITE an audit socket looks as if the kernel had none: login programs go on without it.
        Rule(
            "socket",
            ERRNO,
            EINVAL,
            args=(SeccompArg(0, AF_NETLINK), SeccompArg(2, NETLINK_AUDIT)),
            when=_WITHOUT_AUDIT,
        ),
        Rule("socket", ALLOW, args=(SeccompArg(2, NETLINK_AUDIT, op="SCMP_CMP_NE"),), when=_WITHOUT_AUDIT),
        Rule("socket", ALLOW, args=(SeccompArg(0, AF_NETLINK, op="SCMP_CMP_NE"),), when=_WITHOUT_AUDIT),
        Rule("socket", when=Condition(capabilities=("CAP_AUDIT_WRITE",))),
        Rule("unshare", when=Condition(capabilities=("CAP_SYS_ADMIN",))),
    ),
)
