"""Holds the sources to their rooms and floors.

src/rooms.txt says which room may include which. This test reads the #include lines of src/ and apps/ and the room
lines of CMakeLists.txt, and fails where they say something else; it also keeps files small and the tree free of
copies of other projects. It needs only the sources: run it with `/usr/bin/python3 tests/structure/rooms_test.py`.
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
APPS = ROOT / "apps"
MAX_LINES = 700

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def read_graph():
    """{room: [allowed rooms]} of src/rooms.txt, in the order written, inner folders ("room/folder") among them."""
    graph = {}
    for number, line in enumerate((SRC / "rooms.txt").read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        room, colon, allowed = line.partition(":")
        if not colon or not re.fullmatch(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)?", room):
            raise SystemExit(f"src/rooms.txt:{number}: not 'room: allowed rooms': {line}")
        if room in graph:
            raise SystemExit(f"src/rooms.txt:{number}: {room} has a line already")
        graph[room] = allowed.split()
    return graph


GRAPH = read_graph()


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".h", ".cc"))


def includes(path):
    """(quote, name) of each #include line."""
    return INCLUDE.findall(path.read_text())


def name(path):
    return path.relative_to(ROOT).as_posix()


def room_of(relative):
    return relative.parts[0]


def inner_of(relative):
    """"room/folder" for a file in a folder of a room, else None."""
    return "/".join(relative.parts[:2]) if len(relative.parts) > 2 else None


def outside_of_rules(relative, target):
    """Why the file `relative` may not include `target` (both relative to src/), or None."""
    room, used = room_of(relative), room_of(target)
    if room != used:
        if used not in GRAPH.get(room, []):
            return f"{room} may include only: {' '.join(GRAPH.get(room, [])) or 'nothing'} (src/rooms.txt)"
        return None
    inner, used_inner = inner_of(relative), inner_of(target)
    if inner is None or inner == used_inner or inner not in GRAPH:
        return None
    if used_inner is None:
        return f"a file straight in {room}/ stands on top of the folders in it"
    if used_inner not in GRAPH[inner]:
        return f"{inner} may include only: {' '.join(GRAPH[inner]) or 'nothing'} of its room (src/rooms.txt)"
    return None


class Graph(unittest.TestCase):
    def test_names_only_rooms_written_above(self):
        above = []
        for room, allowed in GRAPH.items():
            for other in allowed:
                self.assertIn(other, above, f"src/rooms.txt: {room} names {other}, which is not written above it")
            above.append(room)

    def test_inner_folders_belong_to_a_room(self):
        for room, allowed in GRAPH.items():
            outer, slash, _ = room.partition("/")
            if slash:
                self.assertIn(outer, GRAPH, f"src/rooms.txt: {room} has no room {outer}")
            for other in allowed:
                self.assertEqual("/" in other, bool(slash), f"src/rooms.txt: {room} and {other} are of two kinds")
                if slash:
                    self.assertEqual(other.partition("/")[0], outer, f"src/rooms.txt: {room} names another room's")

    def test_every_folder_is_written_down(self):
        for path in sources(SRC):
            relative = path.relative_to(SRC)
            self.assertGreater(len(relative.parts), 1, f"{name(path)} is in no room")
            self.assertIn(room_of(relative), GRAPH, f"{name(path)}: the room has no line in src/rooms.txt")
            divided = [r for r in GRAPH if r.startswith(room_of(relative) + "/")]
            if divided and inner_of(relative):
                self.assertIn(inner_of(relative), divided, f"{name(path)}: the folder has no line in src/rooms.txt")

    def test_cmake_builds_the_same_rooms(self):
        built = re.findall(r"^kura_room\((\w+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
        written = [room for room in GRAPH if "/" not in room]
        self.assertEqual(built, written, "kura_room() lines of CMakeLists.txt and src/rooms.txt differ")

    def test_the_rules_find_what_they_forbid(self):
        for source, target, fine in [
            ("store/folder.cc", "base/error.h", True),
            ("base/error.cc", "store/folder.h", False),
            ("crypto/hash.cc", "store/folder.h", False),
            ("archive/repo/pack.cc", "archive/format/pack.h", True),
            ("archive/format/pack.cc", "archive/repo/pack.h", False),
            ("archive/backup/walk.cc", "archive/restore/plan.h", False),
            ("archive/restore/plan.cc", "archive/backup/walk.h", False),
            ("archive/restore/plan.cc", "archive/engine.h", False),
            ("archive/engine.cc", "archive/restore/plan.h", True),
            ("archive/restore/plan.cc", "crypto/hash.h", True),
        ]:
            with self.subTest(source=source, target=target):
                self.assertEqual(outside_of_rules(Path(source), Path(target)) is None, fine)


class Includes(unittest.TestCase):
    def test_rooms_include_only_what_they_may(self):
        wrong = []
        for path in sources(SRC):
            for quote, target in includes(path):
                if quote != '"':
                    continue
                if not (SRC / target).is_file():
                    wrong.append(f'{name(path)}: "{target}" is not a file of src/ (write the path from src/)')
                    continue
                reason = outside_of_rules(path.relative_to(SRC), Path(target))
                if reason:
                    wrong.append(f'{name(path)}: "{target}": {reason}')
        if wrong:
            self.fail("\n" + "\n".join(wrong))

    def test_own_headers_are_in_quotes(self):
        for path in sources(SRC) + sources(APPS):
            for quote, target in includes(path):
                if quote == "<":
                    self.assertFalse((SRC / target).is_file(), f'{name(path)}: write "{target}", not <{target}>')

    def test_no_circles(self):
        graph = {}
        for path in sources(SRC):
            if path.suffix == ".h":
                graph[path.relative_to(SRC).as_posix()] = [t for q, t in includes(path) if q == '"']
        state = {}

        def visit(header, trail):
            if state.get(header) == "done" or header not in graph:
                return
            self.assertNotEqual(state.get(header), "open", "headers in a circle: " + " -> ".join(trail + [header]))
            state[header] = "open"
            for target in graph[header]:
                visit(target, trail + [header])
            state[header] = "done"

        for header in graph:
            visit(header, [])

    def test_headers_are_guarded(self):
        for path in sources(SRC) + sources(APPS):
            if path.suffix == ".h":
                self.assertRegex(path.read_text(), r"(?m)^#pragma once$", f"{name(path)} has no '#pragma once'")


class Tree(unittest.TestCase):
    def test_files_are_small(self):
        large = []
        for path in sources(SRC) + sources(APPS):
            lines = len(path.read_text().splitlines())
            if lines > MAX_LINES:
                large.append(f"{name(path)} has {lines} lines; {MAX_LINES} is the most: make it two files")
        if large:
            self.fail("\n" + "\n".join(large))

    def test_no_copies_of_other_projects(self):
        folders = {"third_party", "thirdparty", "3rdparty", "vendor", "external", "extern", "deps", "node_modules"}
        licence = re.compile(r"copyright\s+(\(c\)|©|\d{4})|SPDX-License-Identifier: (?!Apache-2\.0)|Boost Software License"
                             r"|MIT License|GNU (Lesser )?General Public", re.IGNORECASE)
        for path in tracked():
            self.assertFalse(folders & set(path.parts), f"{path}: other projects come as Debian packages, never as copies")
            if path.suffix in (".h", ".cc", ".hpp", ".cpp", ".c", ".py", ".sh", ".cmake") and path != THIS:
                found = licence.search((ROOT / path).read_text(errors="replace"))
                self.assertIsNone(found, f"{path} carries the notice of another project: {found and found.group(0)}")

    def test_no_file_names_the_place_it_was_written_in(self):
        place = str(ROOT).encode()
        if len(ROOT.parts) < 3:
            self.skipTest(f"{ROOT} is too short a name to search for")
        for path in tracked():
            self.assertNotIn(place + b"/", (ROOT / path).read_bytes(), f"{path} names {ROOT}")


THIS = Path(__file__).resolve().relative_to(ROOT)


def tracked():
    """Files of the tree as git has them; without git, the sources."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [p.relative_to(ROOT) for folder in ("src", "apps", "tests") for p in (ROOT / folder).rglob("*")
                if p.is_file()]
    listed = [Path(p.decode(errors="surrogateescape")) for p in out.split(b"\0") if p]
    return [p for p in listed if (ROOT / p).is_file()]


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
