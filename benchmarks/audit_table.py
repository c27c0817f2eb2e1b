"""The result of the benchmark of the audit as Markdown."""

from collections.abc import Iterator
from typing import Any

Figures = dict[str, Any]


def table_of(result: Figures) -> str:
    """Write the result as Markdown."""
    hardware, versions = result["hardware"], result["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    lines = [
        "# The audit: seconds and memory",
        "",
        f"{result['date']}, {hardware['processor']}, {hardware['cpu_count']} cores, load before the"
        f" start {hardware['load_before']}; {named}. Whole audits from Parquet files, every measure"
        " that works offline; each in a process of its own, imports apart. Wall clock, processor"
        " time of all threads in brackets.",
        "",
        *_rooms([*result["made"], *([result["supergen"]] if result["supergen"] else [])], result),
    ]
    if result["contest"]:
        lines += ["", *_contest(result["contest"])]
    return "\n".join([*lines, ""])


def _rooms(audits: list[Figures], result: Figures) -> Iterator[str]:
    heads = [f"{found['rows']:,} made rows" for found in result["made"]]
    if result["supergen"]:
        heads.append(f"{result['supergen']['rows']:,} of SuperGen")
    compares = len(result["made"]) > 1
    first, last = result["made"][0], result["made"][-1]
    yield f"| | {' | '.join(heads)} |" + (" a row, last to first |" if compares else "")
    yield f"| --- |{' --: |' * (len(heads) + compares)}"

    def ratio(one: float, other: float) -> list[str]:
        cost = (other / last["rows"]) / (one / first["rows"]) if one >= 0.1 else None
        return [("-" if cost is None else f"{cost:.2f}")] if compares else []

    for room in first["rooms"]:
        times = [found["rooms"][room] for found in audits]
        cells = [f"{time['wall']:.1f} ({time['processor']:.1f}) s" for time in times]
        ends = [found["rooms"][room]["wall"] for found in (first, last)]
        yield f"| {room} | {' | '.join([*cells, *ratio(*ends)])} |"
    cells = [
        f"{found['wall_seconds']:.1f} ({found['processor_seconds']:.1f}) s" for found in audits
    ]
    cells += ratio(first["wall_seconds"], last["wall_seconds"])
    yield f"| **all** | {' | '.join(cells)} |"
    for name, text in (
        ("microseconds_a_row", "µs a row"),
        ("import_seconds", "imports, s"),
        ("peak_mb", "peak of resident memory, MB"),
    ):
        blank = [""] if compares else []
        yield f"| {text} | {' | '.join([*(f'{found[name]:,}' for found in audits), *blank])} |"


def _contest(found: Figures) -> Iterator[str]:
    bleu, near = found["self_bleu"], found["near_duplicates"]
    yield "Beside other libraries, in one process, on the same made rows:"
    yield ""
    yield "| | rows | theirs | ours | |"
    yield "| --- | --: | --: | --: | --- |"
    yield (
        f"| self-BLEU, nltk's `sentence_bleu` of each against the others | {bleu['rows']:,} |"
        f" {bleu['nltk_seconds']} s | {bleu['our_seconds']} s | greatest difference of a score"
        f" {bleu['greatest_difference']:.1e} |"
    )
    yield (
        f"| the same, on more rows than nltk can bear | {bleu['our_rows_at_most']:,} | |"
        f" {bleu['our_seconds_at_most']} s | |"
    )
    yield (
        f"| near duplicates at Jaccard 0.8, datasketch's `MinHashLSH` of 128 permutations |"
        f" {near['rows']:,} | {near['datasketch_seconds']} s | {near['our_seconds']} s |"
        f" datasketch: {near['datasketch_candidates']:,} candidates, {near['of_them_near']:,} of"
        f" them near; {near['of_them_in_one_of_our_groups']:,} of these in one group of ours |"
    )
