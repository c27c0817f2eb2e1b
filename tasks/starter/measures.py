"""Measures of the starter model that need no generation engine: bits, agreement, copies, errors."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from tasks.quality.fingerprints import FingerprintIndex
from tasks.starter.batches import encode_segments, group_by_length
from tasks.starter.corpus import Segment, Utterance
from tasks.starter.model import taught_loss

Symbol = TypeVar("Symbol", str, int)

END = "\n"
"""Stands for the end of an utterance in the baselines; no utterance holds a line break."""


def model_bits_per_character(
    pairs: Sequence[tuple[str, str]],
    *,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
) -> float:
    """Measure how many bits the model spends on a character of a text given a prompt.

    The sum over all pairs of `-log2 p(" " + text, end of text | prompt)`, of the tokens that the
    tokenizer makes of it, divided by the sum of `len(text) + 1`: code points, and the end
    as one more. Other tokenisations of a text have some probability too: this is an upper bound.

    Args:
        pairs: Prompts, which end where the text starts, and texts.
        model: The model, in float32.
        tokenizer: Its tokenizer.
    """
    encoded = [
        encode_segments([Segment(prompt, False), Segment(f" {text}", True)], tokenizer=tokenizer)
        for prompt, text in pairs
    ]
    nats = 0.0
    with torch.inference_mode():
        for batch in group_by_length(encoded, tokens_per_batch=8192, pad_id=tokenizer.pad_token_id):
            nats += float(taught_loss(model, tokens=batch.tokens, targets=batch.targets))
    return nats / math.log(2) / _num_characters(text for _, text in pairs)


def character_unigram_bits(train: Iterable[str], *, heldout: Sequence[str]) -> float:
    """Bits a character of a model that knows only how often each character occurs.

    Counts of the code points of the training texts, each text closed by an end symbol, plus one
    for every known symbol and one for all unknown ones together. Same denominator as the model's.
    """
    counts = Counter(character for text in train for character in text + END)
    symbols = (character for text in heldout for character in text + END)
    bits = _unigram_bits(counts, symbols=symbols, num_kinds=len(counts) + 1)
    return bits / _num_characters(heldout)


def token_unigram_bits(
    train: Iterable[str], *, heldout: Sequence[str], tokenizer: PreTrainedTokenizerBase
) -> float:
    """Bits a character of a model that knows only how often each token occurs.

    Counts over the tokens of `" " + text` and the end-of-text token in the training texts, plus
    one for every token of the vocabulary. Same denominator as the model's figure.
    """

    def tokens(texts: Iterable[str]) -> Iterator[int]:
        for text in texts:
            yield from tokenizer.encode(f" {text}", add_special_tokens=False)
            yield tokenizer.eos_token_id

    bits = _unigram_bits(Counter(tokens(train)), symbols=tokens(heldout), num_kinds=len(tokenizer))
    return bits / _num_characters(heldout)


def _unigram_bits(counts: Counter[Symbol], *, symbols: Iterable[Symbol], num_kinds: int) -> float:
    total = counts.total() + num_kinds
    return sum(-math.log2((counts[symbol] + 1) / total) for symbol in symbols)


def _num_characters(texts: Iterable[str]) -> int:
    return sum(len(text) + 1 for text in texts)


@dataclass(frozen=True)
class Judge:
    """A classifier fitted on the real training texts, which never saw a generated one."""

    pipeline: Pipeline
    labels: tuple[str, ...]

    @classmethod
    def fit(cls, utterances: Sequence[Utterance]) -> "Judge":
        """Fit a logistic regression on TF-IDF of words and pairs of words, in lower case."""
        pipeline = make_pipeline(
            TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", min_df=2
            ),
            LogisticRegression(C=20.0, max_iter=150),
        )
        pipeline.fit([text for _, text in utterances], [label for label, _ in utterances])
        return cls(pipeline, tuple(str(label) for label in pipeline.classes_))

    def assign(self, texts: Sequence[str], *, among: Sequence[str] | None = None) -> list[str]:
        """Give each text the most probable label, of all or of those in `among`.

        Raises:
            ValueError: If `among` names a label that the classifier does not know.
        """
        labels = self.labels if among is None else tuple(among)
        if unknown := sorted(set(labels) - set(self.labels)):
            raise ValueError(f"labels that the classifier does not know: {unknown}")
        scores: NDArray[np.float64] = self.pipeline.predict_proba(texts)
        columns = [self.labels.index(label) for label in labels]
        return [labels[place] for place in scores[:, columns].argmax(axis=1)]


def share_by_label(labels: Sequence[str], *, hits: Sequence[bool]) -> dict[str, float]:
    """Compute the share of hits, in [0, 1], of every label, in the order of first occurrence."""
    totals: Counter[str] = Counter(labels)
    found: Counter[str] = Counter(label for label, hit in zip(labels, hits, strict=True) if hit)
    return {label: found[label] / totals[label] for label in totals}


def agreement(asked: Sequence[str], *, given: Sequence[str]) -> float:
    """Compute the share of places, in [0, 1], at which two lists of labels are equal."""
    return sum(a == b for a, b in zip(asked, given, strict=True)) / len(asked)


def copies(texts: Sequence[str], *, index: FingerprintIndex) -> list[bool]:
    """Tell of each text whether it is a training text but for case, punctuation and spacing."""
    return [text in index for text in texts]


def edit_distance(left: str, right: str) -> int:
    """Count the fewest insertions, deletions and substitutions of characters (Levenshtein 1966)."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            best = min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
            previous, row[j] = row[j], best
    return row[-1]


def character_error_rate(texts: Sequence[str], *, wanted: Sequence[str]) -> float:
    """Divide the sum of the edit distances by the number of characters wanted; may exceed 1."""
    edits = sum(edit_distance(a, b) for a, b in zip(texts, wanted, strict=True))
    return edits / sum(map(len, wanted))


def rounded(shares: Mapping[str, float], *, digits: int = 4) -> dict[str, float]:
    """Round every value."""
    return {key: round(value, digits) for key, value in shares.items()}
