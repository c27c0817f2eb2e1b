"""From measurements to a comparison: the best of the others, the ratio, the target."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

Row = dict[str, Any]

_SAMPLING = ("temperature", "top_k", "nucleus", "min_p", "typical", "arithmetic")
_OWN_BEAMS = ("diverse_beam", "stochastic_beam")
_TARGETS = {
    ("short", "sampling"): 4.0,
    ("long", "sampling"): 3.0,
    ("short", "greedy"): 2.0,
    ("long", "greedy"): 1.2,
    ("short", "beam"): 2.0,
    ("long", "beam"): 2.0,
}
_OWN_BEAMS_TARGET = 1 / 1.3
"""Our other beams may take 1.3 times as long as beam search of the same width."""
COLUMNS = ("workload", "strategy", "corpusmith", "beside", "ratio", "target", "peak MB", "beside")


def keep_better_wait(rows: Sequence[Row]) -> list[Row]:
    """Of an engine's runs that differ only in how idle threads wait, keep the faster."""

    def name(row: Row) -> tuple[str, ...]:
        return tuple(str(row[key]) for key in ("workload", "strategy", "engine", "batch_size"))

    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        known = best.setdefault(name(row), row)
        if row["tokens_per_second"] > known["tokens_per_second"]:
            best[name(row)] = row
    return list(best.values())


def target_of(workload: str, strategy: str) -> float | None:
    """Return the ratio to be reached; None where none was set."""
    if strategy in _OWN_BEAMS:
        return _OWN_BEAMS_TARGET
    return _TARGETS.get((workload, "sampling" if strategy in _SAMPLING else strategy))


def comparisons(rows: Sequence[Row]) -> Iterator[Row]:
    """Set our best batch size beside the best of the others, strategy by strategy.

    Diverse and stochastic beam stand beside our own beam search that returns all its beams.
    """
    beams = {row["workload"]: row for row in rows if row["strategy"] == "beam_all"}
    for (workload, strategy), group in groupby(
        rows, key=lambda row: (row["workload"], row["strategy"])
    ):
        contest = list(group)
        ours = [row for row in contest if row["engine"] == "corpusmith"]
        others = [row for row in contest if row["engine"] != "corpusmith"]
        if strategy in _OWN_BEAMS and workload in beams:
            others = [beams[workload]]
        best, other = _fastest(ours), _fastest(others)
        yield {
            "workload": workload,
            "strategy": strategy,
            "ours": best,
            "other": other,
            "ratio": best["tokens_per_second"] / other["tokens_per_second"]
            if best and other
            else None,
            "target": target_of(workload, strategy),
        }


def cells_of(comparison: Row) -> list[str]:
    """Write one comparison as the cells of `COLUMNS`."""
    ours, other = comparison["ours"], comparison["other"]
    ratio, target = comparison["ratio"], comparison["target"]
    return [
        comparison["workload"],
        comparison["strategy"],
        _speed(ours),
        _speed(other),
        "-" if ratio is None else f"{ratio:.2f}",
        "-" if target is None else f"{target:.2f}",
        "-" if ours is None else f"{ours['peak_mb']:,.0f}",
        "-" if other is None else f"{other['peak_mb']:,.0f}",
    ]


def markdown(result: Row) -> str:
    """Write a result as a page: the comparison, then every measurement."""
    about = result["about"]
    lines = [
        "# Generation: useful tokens per second",
        "",
        f"`{result['command']}`, {result['date']}, {result['hardware']}, Python "
        f"{result['versions']['python']}, torch {result['versions']['torch']}, transformers "
        f"{result['versions']['transformers']}.",
        about,
        "",
        *_table(COLUMNS, [cells_of(row) for row in comparisons(result["rows"])]),
        "",
        "Every measurement; MB of the process at its peak and after loading.",
        "",
    ]
    header = [
        "workload",
        "strategy",
        "engine",
        "batch",
        "tokens/s",
        "of roofline",
        "peak",
        "loaded",
    ]
    shares = [row.get("roofline_share") for row in result["rows"]]
    cells = [
        [
            row["workload"],
            row["strategy"],
            row["engine"],
            str(row["batch_size"]),
            f"{row['tokens_per_second']:,.0f}",
            "-" if share is None else f"{share:.0%}",
            f"{row['peak_mb']:,.0f}",
            f"{row['baseline_mb']:,.0f}",
        ]
        for row, share in zip(result["rows"], shares, strict=True)
    ]
    return "\n".join([*lines, *_table(header, cells), ""])


def _fastest(rows: Sequence[Row]) -> Row | None:
    return max(rows, key=lambda row: row["tokens_per_second"], default=None)


def _speed(row: Row | None) -> str:
    if row is None:
        return "-"
    return f"{row['tokens_per_second']:,.0f} ({row['engine']} {row['batch_size']})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---" if place < 2 else "--:" for place in range(len(header))]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]
