# Runs a command on a terminal of its own, for test/terminal.ts: what comes in is typed, what the terminal shows goes out.
# The end of what comes in closes the terminal, as a closed window does. Usage: terminal.py COLUMNS COMMAND...
import fcntl, os, pty, select, struct, sys, termios

columns, command = int(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(command[0], command)
sources = [0, terminal]
while sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # Linux says so that nobody has the terminal any more.
            data = b""
        if source == terminal and data:
            os.write(1, data)
        elif data:
            os.write(terminal, data)
        else:
            sources = []
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
