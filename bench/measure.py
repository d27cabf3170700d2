"""Runs one command, with warm memory, and writes its wall seconds, CPU seconds, peak memory (KiB) and exit code into a file.

A process of its own, because a child's peak memory begins with that of the process that started it: this one is small.
Usage: measure.py RESULT_FILE COMMAND...
"""

import os
import pathlib
import sys
import time


def wait_for(*command):
    return os.wait4(os.posix_spawnp(command[0], command, os.environ), 0)


wait_for(sys.executable, str(pathlib.Path(__file__).with_name("warm_memory.py")))
began = time.monotonic()
_, status, usage = wait_for(*sys.argv[2:])
wall = time.monotonic() - began
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")
