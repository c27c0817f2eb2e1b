"""Labelled texts to train and test on: read, put in order, rid of what cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError
from schemas.evaluation import EvaluatedData
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import printable
from tasks.audit.reading import Choice, read_corpus
from tasks.quality.fingerprints import normalise_text
from tasks.utility.scores import Codes

MOST_LABELS = 500
"""Labels of a test set: a column of more is hardly one of labels."""

_LABELS_LISTED = 100
_LABEL_CHARS = 60
"""Characters of a label that an error shows."""

Role = Literal["synthetic", "train", "test"]


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """N rows in the order of label and text, so that nothing depends on the order of a file.

    Args:
        texts: The texts.
        codes: Label of each by its place among the test set's labels, shape `(N,)`.
    """

    texts: Sequence[str]
    codes: Codes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.texts)

    def take(self, places: NDArray[np.int64]) -> "LabelledTexts":
        """Return the rows at some places, in order."""
        ordered = np.sort(places)
        return LabelledTexts([self.texts[place] for place in ordered.tolist()], self.codes[ordered])

    def joined(self, other: "LabelledTexts") -> "LabelledTexts":
        """Return the rows of both, in order."""
        return _ordered([*self.texts, *other.texts], np.concatenate([self.codes, other.codes]))


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The real rows that students are tested on.

    Args:
        rows: The rows.
        names: Its labels, sorted.
        normals: Normalised texts, to find copies by.
        data: What was read.
    """

    rows: LabelledTexts
    names: tuple[str, ...]
    normals: frozenset[str]
    data: EvaluatedData


@dataclass(slots=True)
class _Sorted:
    """Rows sorted into those that can be used and counts of the others."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    blank: int = 0
    unlabelled: int = 0


def read_held_out(path: Path, choice: Choice) -> HeldOut:
    """Read the rows to test on.

    Raises:
        InputError: As `read_corpus` does; `CS-E001` if there are not at least two labels and at
            most `MOST_LABELS`.
    """
    corpus = read_corpus(path, choice)
    found = _usable(corpus, path)
    names = tuple(sorted(set(found.labels)))
    if not 2 <= len(names) <= MOST_LABELS:
        raise InputError(
            f"the test set has {len(names)} labels; a student is tested on 2 to {MOST_LABELS}",
            code="CS-E001",
            place=str(path),
            hint="name a file with rows of every label; --label names the column",
        )
    data = _data("test", corpus, choice, found, used=len(found.texts))
    rows = _ordered(found.texts, _codes(found.labels, names))
    return HeldOut(rows, names, frozenset(map(_normal, found.texts)), data)


def read_training_set(
    path: Path, choice: Choice, *, role: Role, test: HeldOut, keep_copies: bool
) -> tuple[LabelledTexts, EvaluatedData]:
    """Read rows to train on: those of the test set's labels, without copies of its texts.

    A copy says the same as a test row, case, punctuation and spacing aside (`normalise_text`).

    Args:
        path: The dataset.
        choice: Its columns.
        role: What it is given as.
        test: The rows to test on.
        keep_copies: Keep copies among the rows.

    Raises:
        InputError: As `read_corpus` does; `CS-E001` if no label is one of the test set's, or no row
            is left.
    """
    corpus = read_corpus(path, choice)
    found = _usable(corpus, path)
    known = set(test.names)
    if not (shared := known & set(found.labels)):
        raise _strangers(path, found.labels, test)
    unknown = set(found.labels) - known
    pairs = list(zip(found.texts, found.labels, strict=True))
    fitting = [(text, label) for text, label in pairs if label in known]
    clean = [pair for pair in fitting if _normal(pair[0]) not in test.normals]
    kept = fitting if keep_copies else clean
    data = _data(role, corpus, choice, found, used=len(kept)).model_copy(
        update={
            "other_labels": len(pairs) - len(fitting),
            "copies": len(fitting) - len(clean),
            "removed_copies": len(fitting) - len(kept),
            "unknown_labels": _shown(unknown)[:_LABELS_LISTED],
            "unknown_labels_left_out": max(0, len(unknown) - _LABELS_LISTED),
            "missing_labels": _shown(known - shared),
        }
    )
    if not kept:
        raise InputError(
            f"all {len(fitting)} rows repeat rows of the test set",
            code="CS-E001",
            place=str(path),
            hint="name a test set that nothing was trained or generated from",
        )
    return _ordered(*_columns(kept, test.names)), data


def _columns(rows: list[tuple[str, str]], names: Sequence[str]) -> tuple[list[str], Codes]:
    return [text for text, _ in rows], _codes([label for _, label in rows], names)


def _usable(corpus: Corpus, path: Path) -> _Sorted:
    if corpus.labels is None:
        raise InputError(
            "there is no column of labels",
            code="CS-D002",
            place=str(path),
            hint="name it with --label",
        )
    found = _Sorted()
    for text, label in zip(corpus.strings, corpus.labels, strict=True):
        if not text.strip():
            found.blank += 1
        elif label is None:
            found.unlabelled += 1
        else:
            found.texts.append(text)
            found.labels.append(label)
    return found


def _data(
    role: Role, corpus: Corpus, choice: Choice, found: _Sorted, *, used: int
) -> EvaluatedData:
    return EvaluatedData(
        role=role,
        path=printable(corpus.name),
        text=choice.text,
        label=choice.label or "label",
        rows=len(corpus),
        used=used,
        blank=found.blank,
        unlabelled=found.unlabelled,
        other_labels=0,
        removed_copies=0,
        not_drawn=0,
        copies=0,
    )


def _strangers(path: Path, labels: list[str], test: HeldOut) -> InputError:
    own, theirs = (
        ", ".join(repr(printable(name[:_LABEL_CHARS])) for name in sorted(some)[:5])
        for some in (set(labels), test.names)
    )
    return InputError(
        f"no label is one of the test set's: {own or 'none'} here, {theirs} there",
        code="CS-E001",
        place=str(path),
        hint="name the columns with --label, and give the same thing the same name in both files",
    )


def _ordered(texts: Sequence[str], codes: Codes) -> LabelledTexts:
    order = sorted(range(len(texts)), key=lambda place: (codes[place], texts[place]))
    return LabelledTexts([texts[place] for place in order], codes[order])


def _codes(labels: Sequence[str], names: Sequence[str]) -> Codes:
    code_of = {name: code for code, name in enumerate(names)}
    return np.array([code_of[label] for label in labels], dtype=np.int64)


def _normal(text: str) -> str:
    # What has neither letters nor digits is only like itself.
    return normalise_text(text) or text


def _shown(labels: set[str]) -> tuple[str, ...]:
    return tuple(sorted(map(printable, labels)))
