# Run by each interpreter of the far side, as `python -B -c <this> ID ASK`, Python 2.7 and later. Tells on descriptor 3, in
# one write, what it is and whether it has runicorn; what start-up files of Python print goes elsewhere. Nothing of
# runicorn is imported unless ASK is `config`.
import os
import sys

sys.path = [place for place in sys.path if place]


def runicorn_folder():
    try:
        from importlib.util import find_spec

        origin = find_spec("runicorn").origin
        return os.path.dirname(origin) if os.path.isfile(origin) else None
    except Exception:
        return None


def metadata_version(places):
    for place in places:
        try:
            names = sorted(os.listdir(place))
        except Exception:
            continue
        for name in names:
            stem, dot, kind = name.rpartition(".")
            if kind in ("dist-info", "egg-info") and stem.lower().startswith("runicorn-"):
                return stem.split("-")[1]
    return None


def text_version(folder):
    above = os.path.dirname(os.path.dirname(folder))
    for place in (folder, above):
        try:
            with open(os.path.join(place, "VERSION.txt")) as file:
                text = file.read(100).strip()
            if text:
                return text
        except Exception:
            pass
    return None


def runicorn_version():
    folder = runicorn_folder()
    if not folder:
        return ""
    return (
        metadata_version([os.path.dirname(folder)])
        or text_version(folder)
        or metadata_version(sys.path)
        or "unknown"
    )


def configured_root():
    try:
        from runicorn.config import get_user_root_dir

        root = get_user_root_dir()
        return os.path.abspath(os.path.expanduser(str(root))) if root else ""
    except Exception:
        return ""


def free_port():
    try:
        import socket

        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        one.close()
        return str(port)
    except Exception:
        return ""


def answer():
    fields = ["P", sys.argv[1], "Python " + sys.version.split()[0], runicorn_version()]
    if sys.argv[2] != "list":
        root = configured_root() if sys.argv[2] == "config" and fields[3] else ""
        fields += [root, "1" if root and os.path.isdir(root) else "0", free_port()]
    encode = getattr(os, "fsencode", lambda text: text)
    return b"\0".join([encode(field) for field in fields]) + b"\0"


os.write(3, answer())
