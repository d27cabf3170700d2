"""Counts, their intervals, and tables of them."""
import collections
import math
from dataclasses import dataclass, field

Z = 1.959964  # 95 % on both sides


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, which is right also for shares near 0 and 1."""
    if of == 0:
        return 0.0, 1.0
    share, squared = hits / of, Z * Z
    middle = (share + squared / (2 * of)) / (1 + squared / of)
    half = Z / (1 + squared / of) * math.sqrt(share * (1 - share) / of + squared / (4 * of * of))
    return max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < of else 1.0


def percent(share: float) -> str:
    """As many digits as tell it from 0 and from 100."""
    return f"{share:.2%}" if 0.001 < share < 0.999 or share in (0, 1) else f"{share:.3%}"


@dataclass
class Tally:
    """Verdicts by two names, for example kind and mode."""
    hit: str = "broken"
    verdicts: dict[tuple[str, str], collections.Counter[str]] = field(default_factory=lambda: collections.defaultdict(collections.Counter))

    def add(self, row: str, column: str, verdict: str) -> None:
        self.verdicts[row, column][verdict] += 1

    def summed(self, which: int | None) -> dict[str, collections.Counter[str]]:
        """By row (0), by column (1), or all together (None)."""
        sums: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for names, counts in self.verdicts.items():
            sums["all" if which is None else names[which]].update(counts)
        return dict(sorted(sums.items()))

    def row(self, name: str, counts: collections.Counter[str]) -> list[str]:
        total, hits = counts.total(), counts[self.hit]
        low, high = wilson(hits, total)
        others = ", ".join(f"{verdict} {count:,}" for verdict, count in sorted(counts.items()) if verdict != self.hit)
        return [name, f"{total:,}", f"{hits:,}", percent(hits / total), f"{percent(low)} - {percent(high)}", others]

    def table(self, which: int | None, head: str, hits: str) -> str:
        rows = [self.row(name, counts) for name, counts in self.summed(which).items()]
        return markdown(rows, [head, "files", hits, "share", "95 % interval", "the others"])

    def grid(self, head: str) -> str:
        """Hits of all, by both names."""
        columns = list(self.summed(1))
        rows = []
        for row in self.summed(0):
            cells = [self.verdicts.get((row, column), collections.Counter()) for column in columns]
            rows.append([row, *(f"{cell[self.hit]}/{cell.total()}" if cell else "" for cell in cells)])
        return markdown(rows, [head, *columns])

    def as_json(self) -> list[dict[str, object]]:
        lines = []
        for (row, column), counts in sorted(self.verdicts.items()):
            low, high = wilson(counts[self.hit], counts.total())
            lines.append({"row": row, "column": column, "files": counts.total(), "hits": counts[self.hit], "low": low, "high": high, "verdicts": dict(counts)})
        return lines


def markdown(rows: list[list[str]], heads: list[str]) -> str:
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
