"""How long does an audit take, and how much memory, by room and by number of rows?

    python benchmarks/audit.py --rows 100000,1000000

Each size is audited whole by `run_audit`, every measure that works offline, from a Parquet file, in
a process of its own: seconds of wall clock and of processor time, and the peak of resident memory.
The rows are made here (`audit_rows.py`), beside a reference of 20,000 more of the kind, a holdout
of 5,000 and 200 examples. Where the shared data lie beside the repository, the 6,000 rows of
SuperGen are audited too, SST-2's training set the reference and its development set the holdout.
Imports are timed apart. Where nltk and datasketch are installed (`pip install '.[benchmarks]'`),
their self-BLEU and MinHash index run beside ours on the same rows in one process.

It writes `results/audit.json` and `results/audit.md`; with `--json` the figures go to stdout alone.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

RESULTS = Path(__file__).with_name("results")
SHARED = ROOT.parent / "shared/data"
BESIDE_ROWS = {"reference": 20_000, "holdout": 5_000, "examples": 200}
BLEU_ROWS, OUR_BLEU_ROWS, NEAR_ROWS = 1_000, 20_000, 20_000
THRESHOLD, NUM_PERMUTATIONS = 0.8, 128
SEED = 7
SLOW_IMPORTS = (
    "tasks.audit.run", "great_expectations", "sklearn.linear_model", "sklearn.cluster",
    "sklearn.model_selection", "sklearn.feature_extraction.text", "scipy.stats", "scipy.optimize",
    "cleanlab.count", "ftfy", "py3langid", "phonenumbers",
)  # fmt: skip
PACKAGES = ("numpy", "scipy", "scikit-learn", "pyarrow", "great-expectations", "nltk", "datasketch")

Figures = dict[str, Any]


def audit_made(num_rows: int) -> Figures:
    """Make rows in a process of their own, and audit them in another."""
    sizes = {"data": num_rows, **BESIDE_ROWS}
    with tempfile.TemporaryDirectory() as folder:
        paths = {role: Path(folder) / f"{role}.parquet" for role in sizes}
        for number, (role, size) in enumerate(sizes.items()):
            script = Path(__file__).with_name("audit_rows.py")
            words = [str(size), str(SEED + number), str(paths[role])]
            subprocess.run([sys.executable, str(script), *words], check=True)
        return in_child("audit", {role: str(path) for role, path in paths.items()})


def audit_supergen() -> Figures:
    """Audit SuperGen's rows beside SST-2, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return in_child("audit", in_child("supergen", {"folder": folder}))


def in_child(what: str, given: Figures) -> Figures:
    """Run one part of this file in a process of its own.

    This process loads no library: what it holds would count as memory of its children.
    """
    command = [sys.executable, __file__, "--child", what, json.dumps(given)]
    found: Figures = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
    return found


def write_supergen(given: Figures) -> Figures:
    """Write SuperGen and SST-2 as Parquet files; return their paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def real(split: str) -> list[dict[str, str]]:
        text = (SHARED / f"sst2/stsa.binary.{split}").read_text(encoding="utf-8")
        return [{"text": line[2:], "label": line[0]} for line in text.splitlines()]

    made = json.loads((SHARED / "supergen_sst2/train.json").read_text(encoding="utf-8"))
    rows = {
        "data": [{"text": row["text"], "label": row["label"]} for row in made],
        "reference": real("train"),
        "holdout": real("dev"),
    }
    paths = {role: f"{given['folder']}/{role}.parquet" for role in rows}
    for role, path in paths.items():
        pq.write_table(pa.Table.from_pylist(rows[role]), path)
    return paths


def audit(given: Figures) -> Figures:
    """Audit files in this process, the imports apart."""
    started = time.perf_counter()
    for name in SLOW_IMPORTS:
        import_module(name)
    imported = time.perf_counter()
    from tasks.audit.reading import Choice
    from tasks.audit.run import Request, run_audit

    request = Request(
        Path(given["data"]),
        Choice(),
        **{role: Path(path) for role, path in given.items() if role != "data"},
    )
    marks: list[tuple[str, float, float]] = []

    def note(stage: str) -> None:
        marks.append((stage, time.perf_counter(), time.process_time()))

    note("start")
    found, _ = run_audit(request, report=note)
    note("end")
    rooms = {
        stage: {"wall": round(later[1] - at, 2), "processor": round(later[2] - spent, 2)}
        for (stage, at, spent), later in pairwise(marks[1:])
    }
    rows = found.inputs[0].rows
    wall, processor = (marks[-1][part] - marks[0][part] for part in (1, 2))
    return {
        "rows": rows,
        "import_seconds": round(imported - started, 2),
        "wall_seconds": round(wall, 2),
        "processor_seconds": round(processor, 2),
        "microseconds_a_row": round(1e6 * wall / rows, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6),
        "rooms": rooms,
        "verdict": found.verdict,
        "metrics": {
            name: round(metric.estimate.value, 6)
            for name, metric in found.metrics().items()
            if metric.estimate is not None
        },
    }


def contest(given: Figures) -> Figures:
    """Time nltk's self-BLEU and datasketch's index beside ours, on the same rows."""
    from audit_rows import make_rows

    texts = make_rows(NEAR_ROWS, seed=SEED)["text"]
    return {"self_bleu": contest_self_bleu(texts), "near_duplicates": contest_near(texts)}


def contest_self_bleu(texts: list[str]) -> Figures:
    """Score each text against all others: nltk one by one, ours at once."""
    import numpy as np
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    from tasks.quality.fingerprints import normalise_text
    from tasks.quality.self_bleu_arrays import SelfBleu
    from tasks.quality.word_codes import encode_words

    words = [normalise_text(text).split() for text in texts[:BLEU_ROWS]]
    smooth = SmoothingFunction(epsilon=0.1).method1

    def theirs() -> list[float]:
        return [
            sentence_bleu([*words[:place], *words[place + 1 :]], own, smoothing_function=smooth)
            for place, own in enumerate(words)
        ]

    few, their_seconds = timed(theirs)
    ours, our_seconds = timed(lambda: SelfBleu(encode_words(texts[:BLEU_ROWS])).scores())
    _, many_seconds = timed(lambda: SelfBleu(encode_words(texts[:OUR_BLEU_ROWS])).scores())
    return {
        "rows": BLEU_ROWS,
        "nltk_seconds": their_seconds,
        "our_seconds": our_seconds,
        "greatest_difference": float(np.abs(np.array(few) - ours).max()),
        "our_rows_at_most": OUR_BLEU_ROWS,
        "our_seconds_at_most": many_seconds,
    }


def contest_near(texts: list[str]) -> Figures:
    """Find near duplicates of the same normalised texts with datasketch and with ours."""
    from datasketch import MinHash, MinHashLSH

    from tasks.quality.fingerprints import normalise_text
    from tasks.quality.near_duplicate_groups import group_near_duplicates
    from tasks.quality.similarity import jaccard, shingles_of_normal

    normals = sorted({normalise_text(text) for text in texts})

    def theirs() -> set[tuple[int, int]]:
        sets = [[part.encode() for part in shingles_of_normal(text)] for text in normals]
        sketches = MinHash.bulk(sets, num_perm=NUM_PERMUTATIONS, seed=1)
        index = MinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERMUTATIONS)
        for place, sketch in enumerate(sketches):
            index.insert(place, sketch)
        return {
            (place, other)
            for place, sketch in enumerate(sketches)
            for other in index.query(sketch)
            if place < other
        }

    candidates, their_seconds = timed(theirs)
    ours, our_seconds = timed(lambda: group_near_duplicates(normals, threshold=THRESHOLD))
    near = [
        pair
        for pair in candidates
        if jaccard(*(shingles_of_normal(normals[place]) for place in pair)) >= THRESHOLD
    ]
    joined = sum(bool(ours.groups.firsts[one] == ours.groups.firsts[two]) for one, two in near)
    return {
        "rows": len(normals),
        "datasketch_seconds": their_seconds,
        "our_seconds": our_seconds,
        "datasketch_candidates": len(candidates),
        "of_them_near": len(near),
        "of_them_in_one_of_our_groups": joined,
        "our_repeats": ours.groups.num_repeats,
    }


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a function returns, and its seconds."""
    started = time.perf_counter()
    found = run()
    return found, round(time.perf_counter() - started, 3)


def surroundings() -> Figures:
    """Name date, machine and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": {
            "processor": names[0] if names else platform.machine(),
            "cpu_count": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {"python": platform.python_version(), **{p: version_of(p) for p in PACKAGES}},
    }


def version_of(package: str) -> str | None:
    """Return the version of an installed package, else None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


CHILDREN: dict[str, Callable[[Figures], Figures]] = {
    "audit": audit,
    "supergen": write_supergen,
    "contest": contest,
}


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default="100000,1000000", help="sizes, with commas between")
    parser.add_argument("--json", action="store_true", help="print the figures, write no file")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the result."""
    options = options_of(arguments)
    if options.child:
        what, given = options.child
        print(json.dumps(CHILDREN[what](json.loads(given))))
        return
    result = {"question": (__doc__ or "").splitlines()[0], **surroundings()}
    result["made"] = [audit_made(int(size)) for size in options.rows.split(",") if size]
    result["supergen"] = audit_supergen() if SHARED.is_dir() else None
    rivals = version_of("nltk") and version_of("datasketch")
    result["contest"] = in_child("contest", {}) if rivals else None
    if options.json:
        print(json.dumps(result, indent=2))
        return
    from audit_table import table_of

    (RESULTS / "audit.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "audit.md").write_text(table_of(result), encoding="utf-8")
    print(table_of(result))


if __name__ == "__main__":
    main()
