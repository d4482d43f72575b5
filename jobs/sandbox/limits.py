"""The limits under which a program that `services/sandbox.py` starts opens untrusted files."""

import resource
import time

from jobs.processes.parent_death import die_with_declared_parent

OPEN_FILES = 64


def apply(*, memory_bytes: int, file_bytes: int, cpu_s: int | None = None, open_files: int = OPEN_FILES) -> None:
    """Lowers what this process may take, for good, and ties its life to the process that started it.

    A process that takes more memory gets a `MemoryError`; one that writes a larger file or opens more files gets an
    `OSError`; one that computes for longer is killed. It never leaves a core dump, which would hold the file's bytes.

    Args:
        memory_bytes: of address space; libraries reserve more of it than they use.
        file_bytes: the largest file that may be written; 0: none. Pipes are not files.
        cpu_s: seconds of processor time for the whole process; None: see `allow_cpu`.
        open_files: file descriptors open at once.
    """
    die_with_declared_parent()
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_CORE: 0,
    }
    if cpu_s is not None:
        limits[resource.RLIMIT_CPU] = cpu_s
    for limit, value in limits.items():
        # The operator may have set a lower one already, above which nothing can be set.
        highest = resource.getrlimit(limit)[1]
        value = value if highest == resource.RLIM_INFINITY else min(value, highest)
        resource.setrlimit(limit, (value, value))


def allow_cpu(seconds: int) -> None:
    """Kills this process after about so many more seconds of processor time; called again, the time starts again."""
    highest = resource.getrlimit(resource.RLIMIT_CPU)[1]
    # Whole seconds, which the kernel counts in ticks: a second more than that is never too little.
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 2 + seconds, highest))
