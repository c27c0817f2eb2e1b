"""Batches of training texts: drawn in a fixed order, grouped by length, hardly padded.

B sequences, T positions.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from tasks.starter.corpus import Library, Segment, build_segments
from tasks.starter.model import IGNORED, MAX_POSITIONS


class Batch(NamedTuple):
    """Input ids and the ids to predict after them, both `(B, T)`, padded on the right."""

    tokens: Tensor
    targets: Tensor


@dataclass(frozen=True)
class BatchPlan:
    """How texts become batches: `tokens_per_batch` bounds B x T, a pool is sorted at once."""

    seed: int = 7
    tokens_per_batch: int = 2048
    pool_texts: int = 4096
    label_cap: int = 400


def encode_segments(
    segments: Sequence[Segment], *, tokenizer: PreTrainedTokenizerBase
) -> tuple[list[int], list[int]]:
    """Turn a training text into inputs and targets of equal length.

    The end-of-text token follows the last segment and is taught. A text beyond the model's
    positions is cut at the end.

    Returns:
        Input ids, and for each the id to predict after it or `IGNORED`.
    """
    ids: list[int] = []
    targets: list[int] = []
    for text, taught in segments:
        piece: list[int] = tokenizer.encode(text, add_special_tokens=False)
        ids += piece
        targets += piece if taught else [IGNORED] * len(piece)
    end = tokenizer.eos_token_id
    return ids[:MAX_POSITIONS], [*targets[1:], end][:MAX_POSITIONS]


def pad_batch(texts: Sequence[tuple[list[int], list[int]]], *, pad_id: int) -> Batch:
    """Stack encoded texts, `(B, T)` with T the longest rounded up to a multiple of 4."""
    longest = -(-max(len(ids) for ids, _ in texts) // 4) * 4
    tokens = np.full((len(texts), longest), pad_id, dtype=np.int64)
    targets = np.full((len(texts), longest), IGNORED, dtype=np.int64)
    for row, (ids, wanted) in enumerate(texts):
        tokens[row, : len(ids)] = ids
        targets[row, : len(wanted)] = wanted
    return Batch(torch.from_numpy(tokens), torch.from_numpy(targets))


def group_by_length(
    texts: Sequence[tuple[list[int], list[int]]], *, tokens_per_batch: int, pad_id: int
) -> list[Batch]:
    """Sort texts by length, then cut batches of at most `tokens_per_batch` padded tokens."""
    batches: list[Batch] = []
    group: list[tuple[list[int], list[int]]] = []
    for text in sorted(texts, key=lambda text: len(text[0])):
        width = -(-len(text[0]) // 4) * 4
        if group and width * (len(group) + 1) > tokens_per_batch:
            batches.append(pad_batch(group, pad_id=pad_id))
            group = []
        group.append(text)
    if group:
        batches.append(pad_batch(group, pad_id=pad_id))
    return batches


def epoch_order(library: Library, *, plan: BatchPlan, epoch: int) -> list[int]:
    """Shuffle the utterances of one epoch; no label has more than `plan.label_cap` of them.

    The cap keeps a few large labels from crowding out many small ones. Each epoch draws anew which
    utterances of a large label it holds.
    """
    rng = np.random.default_rng([plan.seed, 1, epoch])
    counts: dict[str, int] = defaultdict(int)
    chosen: list[int] = []
    for place in rng.permutation(len(library.utterances)):
        label = library.utterances[place].label
        counts[label] += 1
        if counts[label] <= plan.label_cap:
            chosen.append(int(place))
    return chosen


def training_batches(
    library: Library, *, tokenizer: PreTrainedTokenizerBase, plan: BatchPlan, skip: int = 0
) -> Iterator[tuple[int, Batch]]:
    """Yield batches without end, each with the number of the epoch it belongs to (from 0).

    Args:
        library: The utterances and descriptions.
        tokenizer: Encodes the texts.
        plan: Seed and sizes; equal plans yield equal batches.
        skip: Number of batches to leave out, to go on where an earlier run stopped.
    """
    epoch = 0
    while True:
        order = epoch_order(library, plan=plan, epoch=epoch)
        for start in range(0, len(order), plan.pool_texts):
            rng = np.random.default_rng([plan.seed, 2, epoch, start])
            texts = [
                encode_segments(build_segments(i, library=library, rng=rng), tokenizer=tokenizer)
                for i in order[start : start + plan.pool_texts]
            ]
            batches = group_by_length(
                texts, tokens_per_batch=plan.tokens_per_batch, pad_id=tokenizer.pad_token_id
            )
            for place in rng.permutation(len(batches)):
                if skip > 0:
                    skip -= 1
                else:
                    yield epoch, batches[place]
        epoch += 1


def heldout_batches(
    library: Library, *, tokenizer: PreTrainedTokenizerBase, plan: BatchPlan, num_texts: int
) -> list[Batch]:
    """Make the same held-out batches in every run: `num_texts` texts in the training formats."""
    rng = np.random.default_rng([plan.seed, 3])
    num_chosen = min(num_texts, len(library.utterances))
    chosen = rng.choice(len(library.utterances), size=num_chosen, replace=False)
    texts = [
        encode_segments(build_segments(int(i), library=library, rng=rng), tokenizer=tokenizer)
        for i in chosen
    ]
    return group_by_length(
        texts, tokens_per_batch=4 * plan.tokens_per_batch, pad_id=tokenizer.pad_token_id
    )
