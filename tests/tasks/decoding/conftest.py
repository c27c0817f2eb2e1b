"""Toy language models, a naive driver of searches, and beam search as its definition says."""

import functools
import math
from collections import Counter
from dataclasses import dataclass, field

import pytest
import torch

from tasks.decoding.search import Start


@pytest.fixture(scope="session")
def toy_model():
    """Makes a language model whose every prefix has its own random logits."""

    def make(seed, num_tokens, spread=2.0):
        @functools.cache
        def row(prefix):
            key = functools.reduce(lambda key, token: (key * 1009 + token + 1) % 2**61, prefix, 7)
            generator = torch.Generator().manual_seed((key + seed * 7919) % 2**61)
            return torch.randn(num_tokens, generator=generator) * spread

        return lambda lanes: torch.stack([row(tuple(lane)) for lane in lanes])

    return make


@pytest.fixture(scope="session")
def drive():
    """Runs a search over prompts and returns the results of each."""
    return drive_search


@torch.no_grad()
def drive_search(
    search, model, prompts, *, starts=None, admitted=None, linger=0, reverse=False, allowed=None
):
    """Every lane is read anew in each step.

    `admitted` holds the step at which each prompt comes; done prompts stay for `linger` more
    steps; `reverse` turns the order of the prompts around in each step; `allowed` tells of each
    lane's tokens which may follow.
    """
    starts = starts or [Start(seed=0)] * len(prompts)
    admitted = admitted or [0] * len(prompts)
    width = search.lanes_per_prompt
    present, lanes, found, done_at = [], [], {}, {}
    clock = 0
    while present or clock <= max(admitted):
        new = [i for i in range(len(prompts)) if admitted[i] == clock]
        search.admit([starts[i] for i in new])
        present += new
        lanes += [list(prompts[i]) for i in new for _ in range(width)]
        if present:
            masks = None if allowed is None else torch.stack([allowed(lane) for lane in lanes])
            step = search.step(model(lanes), allowed_BV=masks)
            parents, tokens = step.parents_B.tolist(), step.tokens_B.tolist()
            assert [parent // width for parent in parents] == [
                i // width for i in range(len(lanes))
            ]
            lanes = [lanes[parent] + [token] for parent, token in zip(parents, tokens, strict=True)]
            done_at.update({present[place]: clock for place in step.done})
            leaving = [done_at.get(i, clock) + linger <= clock and i in done_at for i in present]
            found.update(
                {i: search.results(place) for place, i in enumerate(present) if leaving[place]}
            )
            order = [place for place in range(len(present)) if not leaving[place]]
            order = order[::-1] if reverse else order
            search.keep(torch.tensor(order, dtype=torch.long))
            present = [present[place] for place in order]
            lanes = [lane for place in order for lane in lanes[place * width :][:width]]
        clock += 1
    return [found[i] for i in range(len(prompts))]


@dataclass
class _Group:
    """One group of the definition: (score, log-probability, tokens) of its hypotheses."""

    going: list = field(default_factory=lambda: [(0.0, 0.0, ())])
    finished: list = field(default_factory=list)
    done: bool = False


@pytest.fixture(scope="session")
def define_beams():
    """Beam search of one prompt by sorting all continuations; every group's (tokens, logprob)."""
    return search_by_definition


def search_by_definition(model, prompt, strategy, *, ends, target=None, allowed=None):
    length = strategy.length
    num_groups = getattr(strategy, "num_beam_groups", 1)
    penalty = getattr(strategy, "diversity_penalty", 0)
    early = getattr(strategy, "early_stopping", False)
    width = strategy.num_beams // num_groups
    groups = [_Group() for _ in range(num_groups)]
    for step in range(length.max):
        chosen = Counter()
        size = step + 1
        for group in groups:
            if group.done:
                continue
            options = []
            for score, logprob, tokens in group.going:
                prefix = [*prompt, *tokens]
                row = model([prefix])[0].double().log_softmax(-1).tolist()
                for token, value in enumerate(row):
                    if allowed is not None and not allowed(prefix)[token]:
                        continue
                    if token in ends and step < length.min:
                        continue
                    steer = length.strength * (step - target) / target if target else 0
                    added = value - penalty * chosen[token] + steer * (token in ends)
                    options.append((score + added, logprob + value, (*tokens, token)))
            options.sort(key=lambda option: -option[0])
            for score, logprob, tokens in options[:width]:
                if tokens[-1] in ends or size == length.max:
                    scored = score / size**strategy.length_penalty
                    group.finished.append((scored, logprob, tokens))
            group.finished = sorted(group.finished, key=lambda one: -one[0])[:width]
            group.going = [one for one in options if one[2][-1] not in ends][:width]
            chosen.update(tokens[-1] for _, _, tokens in group.going)
            full = len(group.finished) == width
            power = max(
                size**strategy.length_penalty,
                length.max**strategy.length_penalty if early == "never" else -math.inf,
            )
            group.done = (
                not group.going
                or size == length.max
                or (full and (early is True or width == 1))
                or (full and group.going[0][0] / power <= group.finished[-1][0])
            )
    return [group.finished for group in groups]
