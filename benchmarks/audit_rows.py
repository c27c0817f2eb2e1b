"""Rows for the benchmark of the audit: short labelled texts, made up, of many forms and words.

A label (50 of them, of unequal size) has 40 sentence forms of its own and 60 words of its own. A
form is 3 to 14 places: a third are function words, which the form fixes, the others are filled row
by row, half from the label's words, the rest from 1,200 English words (the product's own lists) and
one in six from 60,000 made-up names. Forms and words are drawn by Zipf's law, so that some are
common and most are seldom. One row in ten speaks of a person, one in a hundred repeats an earlier
one, two in a hundred differ from one in a single letter, two in a hundred have a wrong label and
one in a thousand holds an e-mail address.

    python benchmarks/audit_rows.py ROWS SEED FILE.parquet
"""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

NUM_LABELS, FORMS_PER_LABEL, WORDS_PER_LABEL = 50, 40, 60
NUM_NAMES = 60_000
LANGUAGE_SEED = 1
"""Forms and words are the same for every set: only what is drawn from them differs."""
FUNCTION_WORDS = (
    "the a my your this that of to in on for with from and or but when how what why can could",
    "please is are was were not do did will would i we you it there about after before because",
    "if then so very still just any some all no yes need want get make see",
)
PEOPLE = ("she is a {}", "he is a {}", "her brother the {}", "his sister the {}", "an old {}",
          "a young {}", "a muslim {}", "a christian {}", "a french {}", "an indian {}")  # fmt: skip
STRATEGIES = ("nucleus", "beam", "top_k")

Ints = NDArray[np.int64]
Strings = NDArray[np.object_]


class Language:
    """The forms and words that every set of rows is drawn from."""

    def __init__(self) -> None:
        """Make them, from a fixed seed."""
        random = np.random.default_rng(LANGUAGE_SEED)
        english, self.occupations = english_words()
        syllables = [c + v for c in "bdfgklmnprstvz" for v in ("a", "e", "i", "o", "u", "an", "el")]
        parts = random.integers(0, len(syllables), (NUM_NAMES, 3))
        names = ["".join(syllables[part] for part in row) for row in parts.tolist()]
        function_words = " ".join(FUNCTION_WORDS).split()
        first = len(function_words)
        self.words: Strings = np.array([*function_words, *english, *names], dtype=object)
        self.english = first + random.permutation(len(english))
        self.names = first + len(english) + np.arange(NUM_NAMES)
        self.own = np.stack(
            [random.choice(self.english, WORDS_PER_LABEL, replace=False) for _ in range(NUM_LABELS)]
        )
        # A place that a row fills is -1; the others hold the code of a function word.
        self.forms = [
            np.where(
                random.random(size := int(random.integers(3, 15))) < 1 / 3,
                zipf(random, first, size),
                -1,
            )
            for _ in range(NUM_LABELS * FORMS_PER_LABEL)
        ]

    def fill(self, random: np.random.Generator, label: int, form: Ints, count: int) -> Ints:
        """Fill a form `count` times; return codes of words, shape `(count, places)`."""
        codes = np.tile(form, (count, 1))
        blanks = codes < 0
        size = int(blanks.sum())
        kind = random.random(size)
        choices = np.where(
            kind < 0.5,
            self.own[label][zipf(random, WORDS_PER_LABEL, size)],
            np.where(
                kind < 5 / 6,
                self.english[zipf(random, len(self.english), size)],
                self.names[zipf(random, NUM_NAMES, size)],
            ),
        )
        codes[blanks] = choices
        return codes


def english_words() -> tuple[list[str], list[str]]:
    """Return words of the product's own lists, and its occupations."""
    lines = files("tasks.noise").joinpath("data/misspellings.tsv").read_text("utf-8").splitlines()
    right = {line.partition("\t")[0] for line in lines if not line.startswith("#")}
    lists = files("tasks.bias").joinpath("lexicons")
    polarity = yaml.safe_load(lists.joinpath("polarity.yaml").read_text("utf-8"))
    jobs = yaml.safe_load(lists.joinpath("occupations.yaml").read_text("utf-8"))["occupations"]
    return (
        sorted(right | {*polarity["positive"], *polarity["negative"]}),
        [*jobs["female"], *jobs["male"]],
    )


def zipf(random: np.random.Generator, most: int, size: int) -> Ints:
    """Draw places below `most` with probability nearly in proportion to 1 / (place + 1)."""
    draws: Ints = (np.exp(random.random(size) * np.log(most + 1)) - 1).astype(np.int64)
    return np.minimum(draws, most - 1)


def make_rows(num_rows: int, *, seed: int) -> dict[str, Any]:
    """Make the columns of a set.

    Args:
        num_rows: How many rows.
        seed: What is drawn.
    """
    random = np.random.default_rng(seed)
    language = Language()
    labels = zipf(random, NUM_LABELS, num_rows)
    forms = labels * FORMS_PER_LABEL + zipf(random, FORMS_PER_LABEL, num_rows)
    texts: Strings = np.empty(num_rows, dtype=object)
    for form in np.unique(forms).tolist():
        rows = np.flatnonzero(forms == form)
        codes = language.fill(random, form // FORMS_PER_LABEL, language.forms[form], len(rows))
        texts[rows] = [" ".join(words) for words in language.words[codes].tolist()]
    speak_of_people(random, texts, language.occupations)
    repeat_some(random, texts, labels)
    wrong = random.random(num_rows) < 0.02
    labels[wrong] = random.integers(0, NUM_LABELS, int(wrong.sum()))
    return {
        "id": [f"made-{row}" for row in range(num_rows)],
        "text": texts.tolist(),
        "label": [f"topic {label}" for label in labels.tolist()],
        "split": random.choice(("train", "validation", "test"), num_rows, p=(0.8, 0.1, 0.1)),
        "strategy": random.choice(STRATEGIES, num_rows),
        "logprob": random.normal(-2, 0.5, num_rows),
    }


def speak_of_people(random: np.random.Generator, texts: Strings, occupations: list[str]) -> None:
    """Let one row in ten speak of a person, and one in a thousand hold an address."""
    for row in np.flatnonzero(random.random(len(texts)) < 0.1).tolist():
        person = PEOPLE[int(random.integers(len(PEOPLE)))]
        texts[row] += " , " + person.format(occupations[int(random.integers(len(occupations)))])
    for row in np.flatnonzero(random.random(len(texts)) < 0.001).tolist():
        texts[row] += f" write to name{row}@example.org"


def repeat_some(random: np.random.Generator, texts: Strings, labels: Ints) -> None:
    """Let some rows repeat an earlier one with its label, most of them but for one letter."""
    for row in np.flatnonzero(random.random(len(texts)) < 0.03).tolist():
        other = int(random.integers(row + 1))
        labels[row], words = labels[other], texts[other].split(" ")
        if random.random() < 2 / 3:
            words[int(random.integers(len(words)))] += "s"
        texts[row] = " ".join(words)


def main() -> None:
    """Write a set."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    num_rows, seed, path = sys.argv[1:]
    pq.write_table(pa.table(make_rows(int(num_rows), seed=int(seed))), path)


if __name__ == "__main__":
    main()
