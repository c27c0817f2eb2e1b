"""Echoes: rows that hold a whole example or part of their own prompt, beside other text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate, Group, Metric, Section
from tasks.audit.corpus import Corpus
from tasks.audit.intervals import share
from tasks.audit.shape_faults import rate_finding, rate_metric, show_rows
from tasks.audit.shape_rates import Rate
from tasks.quality.word_codes import WordCodes, encode_words
from tasks.quality.word_places import span_of_words

FEWEST_WORDS = 4
"""Words of an example that is looked for: shorter ones stand in real texts by chance."""
PASSAGE = 8
"""Words in a row that a text seldom shares with its prompt by chance."""
MOST_PROMPTS = 20_000
"""Rows that are compared with their prompts, which are long."""
_KEY = "echo"
_ROW_MIX = np.uint64(0x9E3779B97F4A7C15)

EXAMPLE_ECHO = Rate(
    "example_echo_rate",
    "Rows that hold a whole example",
    f"Share of all rows that hold all words of an example of at least {FEWEST_WORDS} words, in a "
    "row, and other words besides; case and punctuation do not count. Rows that are an example are "
    "counted by copies_of_examples.",
    "hold a whole example with other text around it",
    "The generator goes on from its examples: set a stop string, cut replies at their first line, "
    "and generate these rows again.",
)
PROMPT_ECHO = Rate(
    "prompt_echo_rate",
    "Rows that repeat their prompt",
    f"Share of the rows with a prompt that have {PASSAGE} words in a row in common with it; case "
    "and punctuation do not count.",
    f"repeat {PASSAGE} words in a row of their own prompt",
    "Read them beside their prompts: instructions and examples do not belong into a text. Where "
    "the prompt holds the text that is to be rewritten they are well as they are.",
)


@dataclass(frozen=True, slots=True)
class Contained:
    """Texts that hold a whole other one beside words of their own, E of them.

    Args:
        texts: Their places, ascending, shape `(E,)`.
        starts: Number of the first word of what each holds, shape `(E,)`.
        others: Place of the longest text that it holds, shape `(E,)`.
    """

    texts: NDArray[np.int64]
    starts: NDArray[np.int64]
    others: NDArray[np.int64]


def find_contained(words: WordCodes, wanted: WordCodes) -> Contained:
    """Find the texts that hold all words of a wanted one in a row, and more.

    Wanted texts of fewer than `FEWEST_WORDS` words are not looked for; texts that equal a wanted
    one are left out. Exact: the n-gram of a wanted text that the corpus holds least often tells
    where it may stand, and there every word is compared. Of several that one text holds the longest
    is named, the first of equals.

    Args:
        words: Words of the texts.
        wanted: Words of what is looked for, coded with the same vocabulary.

    Raises:
        ValueError: If the two do not share a vocabulary.
    """
    if words.vocabulary is not wanted.vocabulary:
        raise ValueError("the corpora do not share a vocabulary")
    texts, starts, others = _candidates(words, wanted)
    sizes = wanted.lengths[others]
    inside = (starts >= words.offsets[texts]) & (starts + sizes <= words.offsets[texts + 1])
    alive = np.flatnonzero(inside & (words.lengths[texts] > sizes))
    for step in range(FEWEST_WORDS):
        theirs = wanted.codes[wanted.offsets[others[alive]] + step]
        alive = alive[words.codes[starts[alive] + step] == theirs]
    is_whole = [
        _is_at(words, int(starts[place]), wanted.of(int(others[place]))) for place in alive.tolist()
    ]
    found = alive[np.array(is_whole, dtype=bool)]
    found = found[np.lexsort((others[found], -sizes[found], texts[found]))]
    found = found[np.unique(texts[found], return_index=True)[1]]
    equal = {wanted.of(place).tobytes() for place in range(len(wanted))}
    is_new = [words.of(place).tobytes() not in equal for place in texts[found].tolist()]
    found = found[np.array(is_new, dtype=bool)]
    return Contained(texts[found], starts[found] - words.offsets[texts[found]], others[found])


def _is_at(words: WordCodes, start: int, wanted: NDArray[np.int32]) -> bool:
    return bool(np.array_equal(words.codes[start : start + wanted.size], wanted))


def _candidates(
    words: WordCodes, wanted: WordCodes
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return texts, places in `words.codes` and wanted texts that may begin there."""
    own, theirs = words.ngrams(FEWEST_WORDS), wanted.ngrams(FEWEST_WORDS)
    distinct = np.unique(theirs.hashes)
    slot = np.searchsorted(distinct, own.hashes)
    meets = np.flatnonzero(np.append(distinct, np.uint64(0))[slot] == own.hashes)
    meets = meets[np.argsort(own.hashes[meets], kind="stable")]
    hashes = own.hashes[meets]
    first = np.searchsorted(hashes, theirs.hashes, side="left")
    counts = np.searchsorted(hashes, theirs.hashes, side="right") - first
    order = np.lexsort((counts, theirs.texts))
    rarest = order[np.unique(theirs.texts[order], return_index=True)[1]]
    counts = counts[rarest]
    ahead = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places = meets[np.repeat(first[rarest], counts) + ahead]
    others = np.repeat(theirs.texts[rarest], counts)
    before = np.repeat(theirs.starts[rarest], counts) - wanted.offsets[others]
    return own.texts[places], own.starts[places] - before, others


def measure_echoes(corpus: Corpus, real: Corpus | None, *, examples: Corpus | None) -> Section:
    """Measure how many rows echo the examples and their prompts.

    Args:
        corpus: What is audited; its column `prompt` where it has one.
        real: As many rows of the reference, or fewer when it is smaller.
        examples: What the generator was shown; of one vocabulary with the others.
    """
    return Section.joined(
        Group.SHAPE, (_examples_section(corpus, real, examples), _prompts_section(corpus))
    )


def _examples_section(corpus: Corpus, real: Corpus | None, examples: Corpus | None) -> Section:
    if examples is None or not (examples.words.lengths >= FEWEST_WORDS).any():
        why = "no examples file was given"
        if examples is not None:
            why = f"no example has {FEWEST_WORDS} words"
        return _unmeasured(rate_metric(EXAMPLE_ECHO, None, len(corpus), None, missing=why))
    found = find_contained(corpus.words, examples.words)
    usual = None
    if real is not None:
        usual = share(len(find_contained(real.words, examples.words).texts), len(real))
    metric = rate_metric(EXAMPLE_ECHO, found.texts, len(corpus), usual)
    marks = {
        corpus.strings[text]: (
            start,
            int(examples.words.lengths[other]),
            f"holds the example: {examples.strings[other]}",
        )
        for text, start, other in zip(
            found.texts.tolist(), found.starts.tolist(), found.others.tolist(), strict=True
        )
    }
    return _section(EXAMPLE_ECHO, metric, corpus.take(found.texts), marks)


def _prompts_section(corpus: Corpus) -> Section:
    prompts = corpus.columns.get("prompt")
    held = [] if prompts is None else [p for p, prompt in enumerate(prompts) if prompt]
    if not held:
        why = "the data have no prompts (column `prompt`)"
        return _unmeasured(rate_metric(PROMPT_ECHO, None, len(corpus), None, missing=why))
    drawn = corpus.take(np.array(held, dtype=np.int64)).sample(MOST_PROMPTS, key=_KEY)
    echoes = find_prompt_echoes(drawn.strings, [p or "" for p in drawn.columns["prompt"]])
    places = np.array(sorted(echoes), dtype=np.int64)
    metric = rate_metric(PROMPT_ECHO, places, len(drawn), None)
    if len(drawn) < len(corpus):
        metric = metric.model_copy(update={"sampled": len(drawn)})
    marks = {
        drawn.strings[place]: (start, PASSAGE, "words of its prompt")
        for place, start in echoes.items()
    }
    return _section(PROMPT_ECHO, metric, drawn.take(places), marks)


def find_prompt_echoes(texts: Sequence[str], prompts: Sequence[str]) -> dict[int, int]:
    """Find the texts that have `PASSAGE` words in a row in common with their own prompts.

    Args:
        texts: N texts.
        prompts: Their prompts.

    Returns:
        Number of the first such word, by the text's place.
    """
    own = encode_words(texts)
    given = encode_words(prompts, vocabulary=own.vocabulary).ngrams(PASSAGE)
    mine = own.ngrams(PASSAGE)
    # Mixed with the row's number, an n-gram of another row's prompt is another n-gram.
    keys, theirs = (
        ngrams.hashes ^ (ngrams.texts.astype(np.uint64) * _ROW_MIX) for ngrams in (mine, given)
    )
    echoed = np.flatnonzero(np.isin(keys, theirs))
    found, first = np.unique(mine.texts[echoed], return_index=True)
    starts = mine.starts[echoed[first]] - own.offsets[found]
    return dict(zip(found.tolist(), starts.tolist(), strict=True))


def _section(
    rate: Rate, metric: Metric, faulty: Corpus, marks: Mapping[str, tuple[int, int, str]]
) -> Section:
    estimate: Estimate | None = metric.estimate
    if estimate is None or not estimate.value:
        return _unmeasured(metric)

    def mark(text: str) -> tuple[Sequence[tuple[int, int]], str]:
        start, length, note = marks[text]
        return [span_of_words(text, start, length)], note

    finding = rate_finding(rate, metric, show_rows(faulty, mark), len(faulty))
    return Section(group=Group.SHAPE, metrics=(metric,), findings=(finding,))


def _unmeasured(metric: Metric) -> Section:
    return Section(group=Group.SHAPE, metrics=(metric,))
