# Run by the chosen Python of the far side, 3.6 or later, without its packages.
# pick PORT: a port that is free now (PORT itself, when it is not 0), or "taken".
# watch PORT PID LEASE: waits until PID or a process of its group listens on PORT of this machine; a sign of life each second.
import os, socket, sys, time

def pick(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", port))
    except OSError:
        return "taken"
    try:
        # Binding beside a listener is allowed by some systems; listening is not.
        s.listen(1)
    except OSError:
        return "taken"
    return s.getsockname()[1]

def stat(pid):
    try:
        with open("/proc/%d/stat" % pid, "rb") as f:
            return f.read().rpartition(b") ")[2].split()
    except OSError:
        return None

def alive(pid):
    if os.path.exists("/proc/self/stat"):
        fields = stat(pid)
        return bool(fields) and fields[0] not in (b"Z", b"X")
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False

LOCAL = {"0100007F", "00000000", "0" * 32, "0000000000000000FFFF00000100007F"}

def listeners(port):
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name) as f:
                rows = f.readlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            address, _, number = fields[1].rpartition(":")
            if fields[3] == "0A" and int(number, 16) == port and address in LOCAL:
                found.add("socket:[%s]" % fields[9])
    return found

def sockets(pid):
    folder = "/proc/%d/fd" % pid
    found = set()
    try:
        for fd in os.listdir(folder):
            try:
                found.add(os.readlink(folder + "/" + fd))
            except OSError:
                pass
    except OSError:
        pass
    return found

def group(leader):
    yield leader
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != leader:
            fields = stat(int(name))
            if fields and len(fields) > 2 and int(fields[2]) == leader:
                yield int(name)

def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False

def look(port, pid):
    if not os.path.exists("/proc/net/tcp"):
        return "ready" if answers(port) else None
    found = listeners(port)
    if not found:
        return None
    return "ready" if any(found & sockets(p) for p in group(pid)) else "taken"

def watch(port, pid, lease):
    told = 0.0
    while True:
        lives = alive(pid)
        seen = look(port, pid)
        if seen == "taken" or (seen and lives):
            return seen
        if not lives:
            return "dead"
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            try:
                open(lease, "w").close()
            except OSError:
                pass
            # Breaks when nobody reads any more.
            print("w", flush=True)
        time.sleep(0.05)

if sys.argv[1] == "pick":
    print(pick(int(sys.argv[2])))
else:
    print(watch(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]), flush=True)
