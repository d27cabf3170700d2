"""Runs one command and writes its wall seconds, CPU seconds, peak memory (KiB) and exit code into a file.

A process of its own, because a child's peak memory begins with that of the process that started it: this one is small.
Usage: measure.py RESULT_FILE COMMAND...
"""

import os
import sys
import time

began = time.monotonic()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - began
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")
