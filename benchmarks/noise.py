"""How many texts a second does each noise operator take, and how many its match in nlpaug?

One process, one core (CPU seconds of the whole process), the 15,000 training utterances of
clinc150, best of several runs. Ours is `noise_batch` from a list of `str` to Arrow columns, edit
log included; nlpaug's is `augment` from the same list to a list, which keeps no log.

    pip install --target FOLDER nlpaug
    python benchmarks/noise.py --data data_full.json --nlpaug FOLDER

It writes `results/noise.json` and `results/noise.md`. Without nlpaug its column stays empty.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from schemas.noise import CharacterStep, NoiseStep
from tasks.noise.edit_log import undo_edits
from tasks.noise.opening import count_words
from tasks.noise.resources import OpenSteps
from tasks.noise.texts import noise_batch, noise_texts
from tasks.planning.streams import Stream, row_keys

RESULTS = Path(__file__).with_name("results")
DATA = Path(__file__).resolve().parents[2] / "shared/data/clinc150/data_full.json"
CHARACTER_RATE, WORD_RATE = 0.1, 0.3
OUR_RUNS, THEIR_RUNS = 7, 3
EVERY_KIND = get_args(get_args(NoiseStep)[0])


def match_of(kind: str) -> tuple[str, Callable[[], Any]] | None:
    """Return nlpaug's operator that does what ours of that kind does, with its own defaults."""
    import nlpaug.augmenter.char as nac
    import nlpaug.augmenter.word as naw

    matches: dict[str, tuple[str, Callable[[], Any]]] = {
        "keyboard": ("KeyboardAug", nac.KeyboardAug),
        "ocr": ("OcrAug", nac.OcrAug),
        "word_delete": ("RandomWordAug delete", lambda: naw.RandomWordAug(action="delete")),
        "word_swap": ("RandomWordAug swap", lambda: naw.RandomWordAug(action="swap")),
        "misspell": ("SpellingAug", naw.SpellingAug),
    }
    for action in ("delete", "insert", "substitute", "swap"):
        matches[f"char_{action}"] = (
            f"RandomCharAug {action}",
            lambda action=action: nac.RandomCharAug(action=action),
        )
    return matches.get(kind)


def best_seconds(run: Callable[[], object], *, runs: int) -> float:
    """Return the CPU seconds of the fastest of several runs."""
    fastest = float("inf")
    for _ in range(runs):
        started = time.process_time()
        run()
        fastest = min(fastest, time.process_time() - started)
    return fastest


def measure_ours(texts: list[str], step: NoiseStep) -> dict[str, Any]:
    """Time one operator of ours, and see that what it wrote can be undone."""
    keys = row_keys(1, np.arange(len(texts)), 0, Stream.NOISE)
    opened = OpenSteps([step], vocabulary=count_words([texts]))
    noised = noise_batch(texts, keys=keys, steps=opened)
    sample = noise_texts(texts[:1000], keys=keys[:1000], steps=opened)
    assert [undo_edits(row.text, row.edits) for row in sample] == texts[:1000]
    seconds = best_seconds(lambda: noise_batch(texts, keys=keys, steps=opened), runs=OUR_RUNS)
    return {
        "kind": step.kind,
        "settings": step.model_dump(exclude={"kind"}),
        "texts_per_second": round(len(texts) / seconds),
        "edits_per_text": round(len(noised.edits.values) / len(texts), 2),
        "changed_share": round(float(noised.changed.mean()), 3),
    }


def measure_theirs(texts: list[str], kind: str) -> dict[str, Any]:
    """Time the match in nlpaug; nothing when there is none."""
    match = match_of(kind)
    if match is None:
        return {}
    name, make = match
    augmenter = make()
    after = augmenter.augment(list(texts))
    changed = sum(new != old for new, old in zip(after, texts, strict=True))
    seconds = best_seconds(lambda: augmenter.augment(list(texts)), runs=THEIR_RUNS)
    return {
        "nlpaug": name,
        "nlpaug_texts_per_second": round(len(texts) / seconds),
        "nlpaug_changed_share": round(changed / len(texts), 3),
    }


def measure(texts: list[str], *, with_nlpaug: bool) -> list[dict[str, Any]]:
    """Measure every operator, ours and its match one after the other."""
    rows = []
    for kind in EVERY_KIND:
        rate = CHARACTER_RATE if issubclass(kind, CharacterStep) else WORD_RATE
        step = TypeAdapter(NoiseStep).validate_python(
            {"kind": kind.model_fields["kind"].default, "rate": rate}
        )
        row = measure_ours(texts, step)
        if with_nlpaug:
            row |= measure_theirs(texts, step.kind)
        if "nlpaug" in row:
            row["times"] = round(row["texts_per_second"] / row["nlpaug_texts_per_second"], 1)
        rows.append(row)
        sys.stderr.write(f"{row}\n")
    return rows


def table_of(result: dict[str, Any]) -> str:
    """Write the result as Markdown."""
    lines = [
        "# Noise: texts a second on one core",
        "",
        f"{result['texts']:,} utterances of clinc150 ({result['mean_code_points']} code points on "
        f"average), {result['date']}, {result['hardware']['processor']}, Python "
        f"{result['versions']['python']}, numpy {result['versions']['numpy']}. CPU seconds: ours, "
        f"edit log and Arrow columns included, best of {OUR_RUNS}; nlpaug "
        f"{result['versions']['nlpaug']} with its own defaults, no log, best of {THEIR_RUNS}. "
        "Changed: share of the texts that came out different (for ours: that have an edit).",
        "",
        "| operator | rate | texts/s | changed | nlpaug | texts/s | changed | times |",
        "| --- | --: | --: | --: | --- | --: | --: | --: |",
    ]
    for row in result["operators"]:
        theirs = [row.get("nlpaug", "-")]
        for name in ("nlpaug_texts_per_second", "nlpaug_changed_share", "times"):
            theirs.append(f"{row[name]:,}" if name in row else "-")
        ours = [f"`{row['kind']}`", str(row["settings"]["rate"])]
        ours += [f"{row['texts_per_second']:,}", str(row["changed_share"])]
        lines.append(f"| {' | '.join([*ours, *theirs])} |")
    return "\n".join([*lines, ""])


def processor() -> str:
    """Name the processor as the system does."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="clinc150's data_full.json")
    parser.add_argument("--nlpaug", type=Path, help="folder into which nlpaug was installed")
    options = parser.parse_args(arguments)
    if options.nlpaug:
        # Last, so that nlpaug's own numpy does not stand in for ours.
        sys.path.append(str(options.nlpaug))
    try:
        import nlpaug
    except ImportError as error:
        sys.stderr.write(f"nlpaug is left out: {error}\n")
        nlpaug = None
    texts = [text for text, _ in json.loads(options.data.read_text(encoding="utf-8"))["train"]]
    result = {
        "question": __doc__.splitlines()[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "hardware": {"processor": processor(), "cpu_count": os.cpu_count()},
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pyarrow": pa.__version__,
            "nlpaug": getattr(nlpaug, "__version__", None),
        },
        "texts": len(texts),
        "mean_code_points": round(sum(map(len, texts)) / len(texts), 1),
        "operators": measure(texts, with_nlpaug=nlpaug is not None),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "noise.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "noise.md").write_text(table_of(result), encoding="utf-8")
    sys.stdout.write(table_of(result))


if __name__ == "__main__":
    main()
