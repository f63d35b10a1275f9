"""Runs a program on a terminal that is stopped (Ctrl-S) once it shows a text, and that nobody reads from then on.

unread-terminal.py TEXT PROGRAM [ARG]...

Says on stdout "stopped PID" then. A line on stdin lets the terminal go on (Ctrl-Q): what it shows from then on follows,
and the exit code is the program's. The end of stdin does nothing.
"""

import os
import pty
import sys

until, argv = sys.argv[1].encode(), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)

shown = b""
while until not in shown:
    shown += os.read(terminal, 4096)
os.write(terminal, b"\x13")
print("stopped", pid, flush=True)

if sys.stdin.readline():
    os.write(terminal, b"\x11")
    try:
        while chunk := os.read(terminal, 4096):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
    except OSError:
        pass  # nobody has the terminal open any more
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
