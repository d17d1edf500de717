"""What the filter thinks of each system call by name, and the calls' numbers on the processors it knows."""

from collections.abc import Mapping

# `socket` is refused as a whole: UDP and named Unix sockets are nothing that landlock would stop, and io_uring
# could open a socket unseen by the filter. What is left are pairs that `socketpair` makes, and none of those
# needs an address. Messages and memory of System V are those of the user where there is no namespace of IPC.
REFUSED = (
    "connect", "bind", "listen", "accept", "accept4",
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
    "mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "open_tree", "open_tree_attr",
    "move_mount", "fsopen", "fsconfig", "fsmount", "mount_setattr", "open_by_handle_at",
    "bpf", "keyctl", "add_key", "request_key", "userfaultfd", "seccomp", "syslog",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot",
    "swapon", "swapoff", "settimeofday", "clock_settime", "acct",
    "shmat", "shmctl", "semop", "semtimedop", "semctl", "msgsnd", "msgrcv", "msgctl", "mq_unlink",
)  # fmt: skip
"""Refused, and noted as an attempt: no library calls these for itself."""

REFUSED_QUIETLY = (
    "io_uring_setup", "io_uring_enter", "io_uring_register", "process_madvise", "perf_event_open", "kcmp",
    "shmget", "semget", "msgget", "mq_open",
    "chown", "lchown", "fchown", "fchownat",
    "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
    "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
)  # fmt: skip
"""Refused without a note, since libraries try these and do without."""

FAMILIES_TRIED = (1, 2, 10, 16)
"""AF_UNIX, INET, INET6 and NETLINK: libraries open sockets of these to see what there is (urllib3, glibc)."""

UNSUPPORTED = (
    "getxattr", "lgetxattr", "listxattr", "llistxattr", "getxattrat", "listxattrat",
)  # fmt: skip
"""As on a file system without attributes: landlock has no say in them, and copies go on without."""

ABSENT = (
    "clone3", "memfd_create", "memfd_secret",
    "inotify_init", "inotify_init1", "inotify_add_watch", "fanotify_init", "fanotify_mark",
)  # fmt: skip
"""As on an older kernel; libraries then take another way.

The flags of clone3 are in memory, where a filter cannot look. Memory files are seen neither by the watch on
memory nor by the one on disk. Landlock does not stop a program from watching what happens to files outside.
"""

IGNORED = ("chmod", "fchmod", "fchmodat", "fchmodat2")
"""Without effect, yet not refused: a copy of a file by the standard library sets its mode last."""

TIMES: Mapping[str, tuple[int, int]] = {
    "utimensat": (1, 2),
    "futimesat": (1, 2),
    "utimes": (0, 1),
    "utime": (0, 1),
}
"""The places of the path and of the times among the arguments."""

OF_PROCESS: Mapping[str, int] = {
    "prlimit64": 0,
    "sched_setaffinity": 0,
    "sched_setscheduler": 0,
    "sched_setparam": 0,
    "sched_setattr": 0,
    "migrate_pages": 0,
    "move_pages": 0,
    "setpriority": 1,
    "ioprio_set": 1,
}
"""The place of the process among the arguments; the argument before it, if any, says what the number is."""

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        "socketpair": 53, "sendto": 44, "connect": 42, "bind": 49, "listen": 50, "accept": 43, "accept4": 288,
        "kcmp": 312, "seccomp": 317, "syslog": 103, "fcntl": 72,
        "inotify_init": 253, "inotify_init1": 294, "inotify_add_watch": 254, "fanotify_init": 300,
        "fanotify_mark": 301, "getxattr": 191, "lgetxattr": 192, "listxattr": 194, "llistxattr": 195,
        "getxattrat": 464, "listxattrat": 465,
        "socket": 41, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "process_madvise": 440,
        "pidfd_getfd": 438,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "setns": 308, "unshare": 272,
        "open_tree": 428, "open_tree_attr": 467, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
        "fsmount": 432, "mount_setattr": 442, "open_by_handle_at": 304,
        "bpf": 321, "keyctl": 250, "add_key": 248, "request_key": 249, "perf_event_open": 298,
        "userfaultfd": 323, "kexec_load": 246, "kexec_file_load": 320, "init_module": 175,
        "finit_module": 313, "delete_module": 176, "reboot": 169, "swapon": 167, "swapoff": 168,
        "settimeofday": 164, "clock_settime": 227, "acct": 163,
        "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semtimedop": 220, "semctl": 66,
        "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240, "mq_unlink": 241,
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452,
        "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260,
        "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280,
        "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "setxattrat": 463,
        "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "removexattrat": 466,
        "file_setattr": 469, "ioctl": 16, "prctl": 157,
        "clone": 56, "clone3": 435, "memfd_create": 319, "memfd_secret": 447,
        "open": 2, "openat": 257, "openat2": 437, "truncate": 76,
        "prlimit64": 302, "sched_setaffinity": 203, "sched_setscheduler": 144, "sched_setparam": 142,
        "sched_setattr": 314, "migrate_pages": 256, "move_pages": 279, "setpriority": 141, "ioprio_set": 251,
    },
    "aarch64": {
        "socketpair": 199, "sendto": 206, "connect": 203, "bind": 200, "listen": 201, "accept": 202,
        "accept4": 242, "kcmp": 272, "seccomp": 277, "syslog": 116, "fcntl": 25,
        "inotify_init1": 26, "inotify_add_watch": 27, "fanotify_init": 262, "fanotify_mark": 263,
        "getxattr": 8, "lgetxattr": 9, "listxattr": 11, "llistxattr": 12, "getxattrat": 464, "listxattrat": 465,
        "socket": 198, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "process_madvise": 440,
        "pidfd_getfd": 438,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "setns": 268, "unshare": 97,
        "open_tree": 428, "open_tree_attr": 467, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
        "fsmount": 432, "mount_setattr": 442, "open_by_handle_at": 265,
        "bpf": 280, "keyctl": 219, "add_key": 217, "request_key": 218, "perf_event_open": 241,
        "userfaultfd": 282, "kexec_load": 104, "kexec_file_load": 294, "init_module": 105,
        "finit_module": 273, "delete_module": 106, "reboot": 142, "swapon": 224, "swapoff": 225,
        "settimeofday": 170, "clock_settime": 112, "acct": 89,
        "shmget": 194, "shmat": 196, "shmctl": 195, "semget": 190, "semop": 193, "semtimedop": 192,
        "semctl": 191, "msgget": 186, "msgsnd": 189, "msgrcv": 188, "msgctl": 187, "mq_open": 180,
        "mq_unlink": 181,
        "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "fchownat": 54, "fchown": 55, "utimensat": 88,
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "setxattrat": 463,
        "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16, "removexattrat": 466,
        "file_setattr": 469, "ioctl": 29, "prctl": 167,
        "clone": 220, "clone3": 435, "memfd_create": 279, "memfd_secret": 447,
        "openat": 56, "openat2": 437, "truncate": 45,
        "prlimit64": 261, "sched_setaffinity": 122, "sched_setscheduler": 119, "sched_setparam": 118,
        "sched_setattr": 274, "migrate_pages": 238, "move_pages": 239, "setpriority": 140, "ioprio_set": 30,
    },
}  # fmt: skip
"""Old calls that the newer processor never had are missing in its table."""
