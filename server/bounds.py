"""What the process of a job may take of the machine, so that whoever else works here goes on working.

A file made to do harm does it in the process of its job. That process has the lowest claim to the
processor, is the first the system ends when memory runs out, and is refused memory before that.
"""

import contextlib
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

_SHARE = 0.75
"""Of the machine's memory, for a job whose limit nobody set."""
_NICE = 10
_SECRETS = ("SECRET", "PASSWORD", "TOKEN", "CREDENTIAL", "_KEY")
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def usual_memory() -> int:
    """Bytes one process of a job may take on this machine if nobody says otherwise."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # none, or "max": no limit of a container
        total = min(total, int(_CGROUP.read_text(encoding="ascii")))
    return int(total * _SHARE)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """What a process that reads strangers' files may know of the environment.

    >>> without_secrets({"HOME": "/", "CIM_MQTT_PASSWORD": "x", "CIM_KEY": "x", "CIM_OIDC_CLIENT_SECRET": "x"})
    {'HOME': '/'}
    """
    return {
        name: value
        for name, value in environment.items()
        if not any(word in name.upper() for word in _SECRETS)
    }


def bound_process(memory: int) -> None:
    """Give way to all others, and take no more than so many bytes; those this starts as well."""
    os.nice(_NICE)
    if sys.platform != "linux":
        return
    Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
    # Not the address space: files that are only mapped into it take no memory.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
