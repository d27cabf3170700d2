"""A seeded incident (tests/attack/incident.py) with the real program, held against the truth about it."""
import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attack.incident import Course, Truth, contents_of, play, wanted  # noqa: E402
from kura import Kura  # noqa: E402

Result = dict[str, object]


class Incident:
    """One of them, carried out in `folder`; its repository lies in `aside`, where that is given."""

    def __init__(self, course: Course, pool: Sequence[Path], folder: Path, aside: Path | None = None):
        self.course, self.folder = course, folder
        self.kura = Kura(aside or folder)
        self.ids: list[str] = []
        self.verdicts: list[str] = []
        self.truth: Truth = play(course, pool, folder, self._back_up)
        self.wanted = wanted(self.truth) if self.truth.attacked else None

    def _back_up(self, office: Path) -> None:
        summary = self.kura.json("backup", office).summary
        self.ids.append(summary["snapshot_id"])
        self.verdicts.append(summary["verdict"])

    @property
    def office(self) -> Path:
        return self.folder / "office"

    def listed(self) -> dict[str, object]:
        """What the list of a recovery says otherwise than it is; empty when all is right."""
        done = self.kura.json("recover", "--list", "--snapshot", f"{self.ids[-1]}:{self.office}")
        files = {os.path.relpath(line["path"], self.office): line for line in done.of_type("file")}
        said = {fate: {path for path, line in files.items() if line["fate"] in names}
                for fate, names in (("restored", ("back", "gone")), ("lost", ("lost",)), ("left_out", ("left_out",)))}
        wrong: dict[str, object] = {}
        for fate, right in (("restored", set(self.wanted.restored)), ("lost", self.wanted.lost), ("left_out", self.wanted.left_out)):
            if said[fate] != right:
                wrong[fate] = {"missing": sorted(right - said[fate]), "too much": sorted(said[fate] - right)}
        versions = {path: f"backup {number}, said {self._number(str(files[path]['snapshot_id']))}" for path, number in self.wanted.restored.items()
                    if path in said["restored"] and files[path]["snapshot_id"] != self.ids[number]}
        if versions:
            wrong["version"] = versions
        if done.summary["clean_snapshot_id"] != self.ids[self.truth.clean]:
            wrong["clean point"] = f"backup {self.truth.clean}, said {self._number(str(done.summary['clean_snapshot_id']))}"
        return wrong

    def _number(self, snapshot: str) -> object:
        return self.ids.index(snapshot) if snapshot in self.ids else snapshot

    def recovered(self) -> dict[str, object]:
        """What a real recovery has otherwise, byte for byte."""
        target = self.folder / "back"
        self.kura.json("recover", "--snapshot", f"{self.ids[-1]}:{self.office}", "--target", target)
        found, right = contents_of(target), self.wanted.tree
        wrong = {"missing": sorted(right.keys() - found.keys()), "too much": sorted(found.keys() - right.keys()),
                 "other contents": sorted(path for path in right.keys() & found.keys() if right[path] != found[path])}
        return {"tree": wrong} if any(wrong.values()) else {}

    def result(self, write: bool) -> Result:
        course, truth = self.course, self.truth
        clean = truth.clean
        known = next((i for i in range(clean + 1, len(self.verdicts)) if self.verdicts[i] in ("suspect", "attacked")), None)
        wrong = self.listed()
        if write:
            wrong |= self.recovered()
        return {"seed": course.seed, "mode": "+".join(course.options.modes), "speed": course.speed, "way": course.options.way,
                "naming": course.options.naming, "notes": list(course.options.notes), "files": len(truth.states[-1]), "attacked": truth.attacked,
                "verdicts": self.verdicts, "clean": clean, "clean_backups": clean + 1, "false": sum(v != "clean" for v in self.verdicts[:clean + 1]),
                "known_at": None if known is None else known - clean, "known_files": None if known is None else truth.attacked_at[known],
                "written": write, "wrong": wrong}
