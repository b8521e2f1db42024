"""check_rooms.py [TREE]: does every room use only what rooms.txt allows?

Reads the #include lines of every C file and the USES of every CMake line, and prints each line that breaks
the rule as FILE:LINE: what is wrong. Exit code 1 when there was one, 0 otherwise."""

import os
import re
import sys

LIBRARY_HEADERS = {
    "zmq.h": "zmq", "sodium.h": "sodium", "cjson/cJSON.h": "cjson", "cJSON.h": "cjson", "curl/curl.h": "curl",
    "sqlite3.h": "sqlite", "ini.h": "inih", "pthread.h": "threads", "microhttpd.h": "microhttpd",
}
LIBRARY_PREFIXES = {"protobuf-c/": "protobuf_c", "google/protobuf-c/": "protobuf_c", "sodium/": "sodium",
                    "curl/": "curl", "cjson/": "cjson"}
# Threads are libc's: any room may use them where an actor cannot.
EVERYWHERE = {"threads"}


def read_rooms(path):
    rooms = {}
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        room, _, uses = line.partition(":")
        if room.strip() in rooms:
            sys.exit(f"{path}:{number}: {room} stands here twice")
        rooms[room.strip()] = set(uses.split())
    for room, uses in rooms.items():
        for use in uses:
            if not use.startswith("<") and use not in rooms:
                sys.exit(f"{path}: {room} may use {use}, which is no room")
    return rooms


def closure(rooms, room):
    """The rooms that come with this one, itself included."""
    seen, todo = set(), [room]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        todo += [use for use in rooms[at] if not use.startswith("<")]
    return seen


def libraries(rooms, room):
    return {use[1:-1] for use in rooms[room] if use.startswith("<")} | EVERYWHERE


def room_of(rooms, path):
    """The longest room that is a folder above path."""
    folder = os.path.dirname(path)
    while folder and folder not in rooms:
        folder = os.path.dirname(folder)
    return folder or None


def check_include(rooms, room, header, quoted):
    if header.endswith(".pb-c.h"):
        return None if room == "common/wire" else "generated protobuf code stays in common/wire"
    library = LIBRARY_HEADERS.get(header)
    for prefix, name in LIBRARY_PREFIXES.items():
        if header.startswith(prefix):
            library = name
    if library:
        return None if library in libraries(rooms, room) else f"{room} may not use <{library}>"
    if not quoted:
        return None
    other = room_of(rooms, header)
    if other is None:
        return f'"{header}" belongs to no room: write includes from the top of the tree'
    return None if other in closure(rooms, room) else f"{room} may not use {other}"


def check_sources(tree, rooms):
    faults = []
    for top in ("common", "coordinator", "agent"):
        for folder, _, names in os.walk(os.path.join(tree, top)):
            for name in sorted(names):
                if not name.endswith((".c", ".h")):
                    continue
                path = os.path.relpath(os.path.join(folder, name), tree)
                room = os.path.dirname(path)
                if room not in rooms:
                    faults.append(f"{path}:1: this folder is no room of rooms.txt")
                    continue
                for number, line in enumerate(open(os.path.join(tree, path), encoding="utf-8"), 1):
                    found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
                    if found:
                        fault = check_include(rooms, room, found.group(2), found.group(1) == '"')
                        if fault:
                            faults.append(f"{path}:{number}: {fault}")
    return faults


LIBRARY_TARGETS = {"dep_zmq": "zmq", "dep_sodium": "sodium", "dep_protobuf_c": "protobuf_c", "dep_cjson": "cjson",
                   "dep_curl": "curl", "dep_sqlite": "sqlite", "dep_inih": "inih", "Threads::Threads": "threads"}
OWN_TARGETS = {"m", "espalier_proto", "espalier_version", "${CMAKE_DL_LIBS}"}


def check_links(tree, rooms):
    faults = []
    for top in ("common", "coordinator", "agent"):
        for folder, _, names in os.walk(os.path.join(tree, top)):
            for name in sorted(names):
                if name != "CMakeLists.txt" and not name.endswith(".cmake"):
                    continue
                path = os.path.relpath(os.path.join(folder, name), tree)
                text = re.sub(r"#.*", "", open(os.path.join(tree, path), encoding="utf-8").read())
                for call in re.finditer(r"espalier_(room|program)\(\s*(\S+)(.*?)\)", text, re.S):
                    room = call.group(2) if call.group(1) == "room" else room_of(rooms, path)
                    number = text[: call.start()].count("\n") + 1
                    if room not in rooms:
                        faults.append(f"{path}:{number}: {room} is no room of rooms.txt")
                        continue
                    uses = call.group(3).partition("USES")[2].split()
                    for use in uses:
                        line = number + text[call.start(): call.start() + call.group(0).find(use)].count("\n")
                        if use in OWN_TARGETS:
                            continue
                        library = LIBRARY_TARGETS.get(use)
                        if library and library not in libraries(rooms, room):
                            faults.append(f"{path}:{line}: {room} may not link {use}")
                        elif not library and use not in rooms:
                            faults.append(f"{path}:{line}: {room} links {use}, which is neither room nor library")
                        elif not library and use not in closure(rooms, room):
                            faults.append(f"{path}:{line}: {room} may not link {use}")
                for call in re.finditer(r"target_link_libraries\(\s*espalier_(\w+)([^)]*)\)", text):
                    number = text[: call.start()].count("\n") + 1
                    for use in call.group(2).split():
                        if use in ("PRIVATE", "PUBLIC", "INTERFACE") or use in OWN_TARGETS:
                            continue
                        room = room_of(rooms, path)
                        library = LIBRARY_TARGETS.get(use)
                        if not (library and library in libraries(rooms, room)):
                            faults.append(f"{path}:{number}: {room} links {use} past its USES line")
    return faults


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    tree = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    rooms = read_rooms(os.path.join(here, "rooms.txt"))
    faults = check_sources(tree, rooms) + check_links(tree, rooms)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
