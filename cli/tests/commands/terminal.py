"""Runs the command in a pseudo-terminal, and answers the questions of a login as a person does."""

import os
import pty
import sys
import termios
import time

command, client_id, secret, *arguments = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command, [command, *arguments])

shown = b""
answers = [(b"Id of the show: ", client_id), (b"API secret (it is not shown): ", secret)] if client_id else []
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # the other side is closed
        break
    if not part:
        break
    shown += part
    if answers and answers[0][0] in shown:
        # Whoever types before the echo is off sees it: a person cannot be that fast.
        while len(answers) == 1 and termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, answers.pop(0)[1].encode() + b"\n")

code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.stdout.write(shown.decode())
sys.exit("a question was not asked" if answers else code)
