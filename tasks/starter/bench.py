"""The measurements of the starter model, one function each; `evaluate` tells what they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from tasks.quality.fingerprints import FingerprintIndex
from tasks.starter.corpus import (
    Descriptions,
    Utterance,
    denoise_prompt,
    describe_prompt,
    form_of,
    length_of,
    plain_name,
    utterance_prompt,
)
from tasks.starter.corruption import corrupt
from tasks.starter.generation import GREEDY, Sampling, complete
from tasks.starter.measures import (
    Judge,
    agreement,
    character_error_rate,
    character_unigram_bits,
    copies,
    model_bits_per_character,
    rounded,
    share_by_label,
    token_unigram_bits,
)


@dataclass(frozen=True)
class Bench:
    """What every measurement shares."""

    model: LlamaForCausalLM
    tokenizer: PreTrainedTokenizerBase
    train: Sequence[Utterance]
    heldout: Sequence[Utterance]
    descriptions: Descriptions
    judge: Judge
    index: FingerprintIndex
    sampling: Sampling
    seed: int

    def complete(self, prompts: Sequence[str], *, seed: int, greedy: bool = False) -> list[str]:
        """Complete prompts with the seed number `seed` of this bench."""
        return complete(
            prompts,
            model=self.model,
            tokenizer=self.tokenizer,
            sampling=GREEDY if greedy else self.sampling,
            seed=self.seed * 1000 + seed,
        )

    def choose_heldout(self, num_rows: int, *, seed: int) -> list[Utterance]:
        """Draw held-out utterances without replacement."""
        rng = np.random.default_rng([self.seed, seed])
        size = min(num_rows, len(self.heldout))
        return [self.heldout[i] for i in rng.choice(len(self.heldout), size=size, replace=False)]


def measure_bits(bench: Bench) -> dict[str, float]:
    """Measure bits a character of all held-out utterances, for the model and the baselines."""
    texts = [text for _, text in bench.heldout]
    train = [text for _, text in bench.train]
    told = [(utterance_prompt(bench.descriptions[label][0]), text) for label, text in bench.heldout]
    untold = [("Message:", text) for text in texts]
    figures = {
        "model_given_description": model_bits_per_character(
            told, model=bench.model, tokenizer=bench.tokenizer
        ),
        "model_without_description": model_bits_per_character(
            untold, model=bench.model, tokenizer=bench.tokenizer
        ),
        "character_unigram": character_unigram_bits(train, heldout=texts),
        "token_unigram": token_unigram_bits(train, heldout=texts, tokenizer=bench.tokenizer),
        "num_utterances": len(texts),
    }
    return rounded(figures)


def measure_agreement(
    bench: Bench, *, labels: Sequence[str], num_rows: int, seed: int
) -> dict[str, object]:
    """Generate `num_rows` utterances over `labels` evenly; measure agreement, copies, repetition.

    Descriptions of a label take turns; no attribute and no example is given, no gate is applied.
    """
    asked = [labels[row % len(labels)] for row in range(num_rows)]
    turns = [row // len(labels) for row in range(num_rows)]
    ways = [bench.descriptions[label] for label in asked]
    prompts = [utterance_prompt(way[t % len(way)]) for way, t in zip(ways, turns, strict=True)]
    texts = bench.complete(prompts, seed=seed)
    given = bench.judge.assign(texts)
    among = bench.judge.assign(texts, among=labels)
    copied = copies(texts, index=bench.index)
    hits = [a == b for a, b in zip(asked, given, strict=True)]
    return {
        "num_rows": num_rows,
        "num_labels": len(labels),
        "agreement_among_all_labels": round(agreement(asked, given=given), 4),
        "agreement_among_these_labels": round(agreement(asked, given=among), 4),
        "copy_share": round(sum(copied) / num_rows, 4),
        "distinct_share": round(len({text.casefold() for text in texts}) / num_rows, 4),
        "mean_words": round(sum(len(text.split()) for text in texts) / num_rows, 2),
        "agreement_by_label": rounded(share_by_label(asked, hits=hits)),
        "copy_share_by_label": rounded(share_by_label(asked, hits=copied)),
    }


def measure_judge(bench: Bench, *, labels: Sequence[str]) -> dict[str, float]:
    """Measure the classifier on real held-out utterances: of all labels, and of `labels`."""
    few = [(label, text) for label, text in bench.heldout if label in labels]
    asked, texts = [label for label, _ in few], [text for _, text in few]
    everything = bench.judge.assign([text for _, text in bench.heldout])
    figures = {
        "heldout_accuracy_all_rows": agreement([u.label for u in bench.heldout], given=everything),
        "heldout_accuracy_these_labels": agreement(asked, given=bench.judge.assign(texts)),
        "heldout_accuracy_among_these_labels": agreement(
            asked, given=bench.judge.assign(texts, among=labels)
        ),
    }
    return rounded(figures)


def measure_denoising(bench: Bench, *, num_rows: int = 500) -> dict[str, float]:
    """Corrupt held-out utterances and let the model restore them, greedily."""
    wanted = [text for _, text in bench.choose_heldout(num_rows, seed=1)]
    rng = np.random.default_rng([bench.seed, 2])
    damaged = [corrupt(text, rng=rng) for text in wanted]
    restored = bench.complete([denoise_prompt(text) for text in damaged], seed=2, greedy=True)
    figures = {
        "num_rows": len(wanted),
        "character_error_rate_before": character_error_rate(damaged, wanted=wanted),
        "character_error_rate_after": character_error_rate(restored, wanted=wanted),
        "exact_before": agreement(wanted, given=damaged),
        "exact_after": agreement(wanted, given=restored),
    }
    return rounded(figures)


def measure_describing(bench: Bench, *, num_rows: int = 500) -> dict[str, float]:
    """Let the model say, greedily, what held-out utterances are about."""
    rows = bench.choose_heldout(num_rows, seed=3)
    said = bench.complete([describe_prompt(text) for _, text in rows], seed=3, greedy=True)
    hits = [
        answer in (*bench.descriptions[label], plain_name(label))
        for answer, (label, _) in zip(said, rows, strict=True)
    ]
    return {"num_rows": len(rows), "exact_share": round(sum(hits) / len(rows), 4)}


def measure_attributes(bench: Bench, *, labels: Sequence[str], num_rows: int) -> dict[str, float]:
    """Ask for a form and a length and count how often the utterance has them."""
    forms, lengths = ("question", "request"), ("short", "medium", "long")
    asked = [(forms[row % 2], lengths[row % 3]) for row in range(num_rows)]
    prompts = [
        utterance_prompt(
            bench.descriptions[labels[row % len(labels)]][0],
            attributes=(("Form", form), ("Length", length)),
        )
        for row, (form, length) in enumerate(asked)
    ]
    texts = bench.complete(prompts, seed=4)
    figures = {
        "num_rows": num_rows,
        "form_share": agreement([form for form, _ in asked], given=list(map(form_of, texts))),
        "length_share": agreement([size for _, size in asked], given=list(map(length_of, texts))),
    }
    return rounded(figures)


def measure_unseen(
    bench: Bench, *, unseen: Mapping[str, str], num_samples: int = 3, num_rows: int = 50
) -> dict[str, object]:
    """Generate from descriptions that the model never saw; show a few, measure agreement on more.

    `unseen` gives each label one new description; `num_rows` utterances are made of each.
    """
    samples: dict[str, list[str]] = {}
    asked: list[str] = []
    texts: list[str] = []
    for place, (label, description) in enumerate(unseen.items()):
        answers = bench.complete([utterance_prompt(description)] * num_rows, seed=10 + place)
        samples[description] = answers[:num_samples]
        asked += [label] * num_rows
        texts += answers
    given = bench.judge.assign(texts)
    hits = [a == b for a, b in zip(asked, given, strict=True)]
    return {
        "num_rows": len(asked),
        "agreement_among_all_labels": round(agreement(asked, given=given), 4),
        "agreement_by_label": rounded(share_by_label(asked, hits=hits)),
        "samples": samples,
    }
