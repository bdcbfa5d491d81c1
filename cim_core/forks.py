"""The processes that do the work, from their side: one opens what it needs and forks the others.

What the opener holds in memory its workers share until they write to it, and a new worker costs
milliseconds where opening a large file again costs minutes. The opener is a fresh interpreter with
a single thread, which is what makes forking it safe.
"""

import contextlib
import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import traceback
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import NoReturn

from cim_core.crew import Task


def serve(descriptor: int, parent: int) -> NoReturn:
    """The life of the opener, until whoever started it closes the other end of the socket."""
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who ordered the work says when it ends
    door = Connection(descriptor)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            make_task, arguments, memory = door.recv()
            task = make_task(*arguments)
        except Exception as error:
            door.send(error)
        else:
            door.send(None)
            _answer(door, task, memory)
    os._exit(0)  # taking a large model apart piece by piece would take seconds


def _answer(door: Connection, task: Task, memory: int) -> None:
    """Answer requests: None asks for a new worker, a process number for the end of that one."""
    gc.freeze()  # a collection in a worker would touch, and so copy, all that is shared
    opener = os.getpid()
    workers: set[int] = set()
    try:
        while True:
            request: int | None = door.recv()
            if request is not None:
                door.send(_end(request) if request in workers else None)
                workers.discard(request)
                continue
            ours, theirs = socket.socketpair()
            with ours, theirs:
                pid = os.fork()
                if pid == 0:
                    door.close()
                    ours.close()
                    _work(theirs, task, memory, opener)
                workers.add(pid)
                door.send(pid)
                send_handle(door, ours.fileno(), os.getppid())
    finally:
        for pid in workers:
            _end(pid)


def _end(pid: int) -> int:
    """Kill a worker that has not ended by itself; its exit code, or minus the signal."""
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _work(theirs: socket.socket, task: Task, memory: int, opener: int) -> NoReturn:
    """The life of a worker: it answers batches item by item, and says None after each."""
    code = 1
    try:
        _die_with(opener)
        _limit_memory(memory)
        pipe = Connection(theirs.detach())
        while True:
            for answer in task(pipe.recv()):
                pipe.send(answer)
            pipe.send(None)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def _die_with(parent: int) -> None:
    """A process stuck in a library would not notice that nobody wants its answer any more."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be listened for
        os._exit(1)


def _limit_memory(memory: int) -> None:
    if sys.platform != "linux":
        return
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, resource.RLIM_INFINITY))
