# Run by the chosen Python of the far side: carries bytes between its own input and output and port argv[1] of that machine.
import os, socket, sys, threading

s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
s.settimeout(None)

def out():
    try:
        while True:
            data = s.recv(65536)
            if not data:
                break
            while data:
                data = data[os.write(1, data):]
    except OSError:
        pass
    # The other end is done with both ways once it stops sending.
    os._exit(0)

sys.stdout.write("connected\n")
sys.stdout.flush()
threading.Thread(target=out, daemon=True).start()
try:
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)
except OSError:
    os._exit(0)
threading.Event().wait()
