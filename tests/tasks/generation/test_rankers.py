"""Every scorer against its definition."""

import math
from dataclasses import replace
from itertools import product

import pytest

from schemas.strategies import BestOf, Greedy, NoisyChannel, Nucleus, RewardScorer
from tasks.generation.protocol import Completion, Request
from tasks.generation.rankers import Questions, Ranker, TextJudge, joined

DESCRIPTIONS = {"a": "says a", "b": "says something like b", "c": "c"}
QUESTIONS = Questions(
    label_of=lambda text: f"Message: {text}\nIntent:", alone="Message:", descriptions=DESCRIPTIONS
)


def logp(prompt: str, text: str) -> float:
    """A made-up model: what a character costs depends on all that is before it."""
    return -sum(
        ((sum(map(ord, prompt)) * 31 + ord(char) * 7 + place) % 97) / 50
        for place, char in enumerate(text)
    )


class Toy:
    def __init__(self) -> None:
        self.calls: list[list[tuple[str, str]]] = []

    def score_continuations(self, pairs):
        self.calls.append(list(pairs))
        return [logp(prompt, text) for prompt, text in pairs]


class LengthReward:
    def score(self, pairs):
        assert all(prompt == "the prompt" for prompt, _ in pairs)
        return [float(len(text)) for _, text in pairs]


def candidates_of(strategy, texts: list[str], *, label: str = "a") -> list[Completion]:
    return [
        Completion(
            Request(0, 0, 5, label, "the prompt", strategy, candidate=place),
            text,
            num_tokens=place + 2,
            logprob=-1.0 / (place + 1),
            finish_reason="eos",
        )
        for place, text in enumerate(texts)
    ]


def posterior(text: str, label: str) -> float:
    """By definition: the softmax over the labels' descriptions."""
    masses = {
        name: math.exp(logp(f"Message: {text}\nIntent:", f" {description}"))
        for name, description in DESCRIPTIONS.items()
    }
    return math.log(masses[label] / sum(masses.values()))


TEXTS = ["where is it", "I lost my card", "hello there"]


def test_candidates_are_ranked_by_sums_that_are_not_rounded():
    strategy = Nucleus(best_of=BestOf(n=2))
    candidates = [
        replace(c, num_tokens=50, logprob=-0.4, total_logprob=total)
        for c, total in zip(candidates_of(strategy, TEXTS[:2]), (-20.2, -19.8), strict=True)
    ]
    assert Ranker()(strategy, candidates) == pytest.approx([-20.2 / 50, -19.8 / 50])
    channel = NoisyChannel(num_candidates=2, channel_weight=0, prior_weight=0)
    ranker = Ranker(TextJudge(Toy(), QUESTIONS))
    assert ranker(channel, candidates) == pytest.approx([-20.2, -19.8])


def test_logprob_is_the_candidates_own_and_none_ranks_last():
    strategy = Nucleus(best_of=BestOf(n=3))
    candidates = candidates_of(strategy, TEXTS)
    silent = [
        Completion(c.request, c.text, 0, None, "eos") if place == 1 else c
        for place, c in enumerate(candidates)
    ]
    assert Ranker()(strategy, silent) == [-1.0, -math.inf, -1 / 3]


@pytest.mark.parametrize("label", DESCRIPTIONS)
def test_label_posterior_is_the_softmax_over_descriptions(label):
    strategy = Nucleus(best_of=BestOf(n=3, scorer="label_posterior"))
    ranker = Ranker(TextJudge(Toy(), QUESTIONS))
    scores = ranker(strategy, candidates_of(strategy, TEXTS, label=label))
    assert scores == pytest.approx([posterior(text, label) for text in TEXTS])


def test_posteriors_of_all_labels_add_up_to_one():
    judge = TextJudge(Toy(), QUESTIONS)
    for text in TEXTS:
        each = [judge.label_logprobs([text], label=label)[0] for label in DESCRIPTIONS]
        assert sum(map(math.exp, each)) == pytest.approx(1)


@pytest.mark.parametrize(("w1", "w2"), list(product((0.0, 1.0, 2.5), (0.0, 0.3))))
def test_the_noisy_channel_is_its_formula(w1, w2):
    strategy = NoisyChannel(num_candidates=3, channel_weight=w1, prior_weight=w2)
    toy = Toy()
    scores = Ranker(TextJudge(toy, QUESTIONS))(strategy, candidates_of(strategy, TEXTS))
    expected = [
        (-1.0 / (place + 1)) * (place + 2)
        + w1 * posterior(text, "a")
        + w2 * logp("Message:", f" {text}")
        for place, text in enumerate(TEXTS)
    ]
    assert scores == pytest.approx(expected)
    assert len(toy.calls) == (w1 > 0) + (w2 > 0)


def test_a_reward_reads_prompt_and_text():
    strategy = Nucleus(best_of=BestOf(n=3, scorer=RewardScorer(name="r")))
    ranker = Ranker(rewards={"r": LengthReward()})
    assert ranker(strategy, candidates_of(strategy, TEXTS)) == [11.0, 14.0, 11.0]


@pytest.mark.parametrize("scorer", ["label_posterior", {"kind": "reward", "name": "r"}])
def test_texts_are_cleaned_first_equal_ones_read_once_and_empty_ones_last(scorer):
    toy = Toy()
    strategy = Nucleus(best_of=BestOf(n=4, scorer=scorer))
    ranker = Ranker(TextJudge(toy, QUESTIONS), rewards={"r": LengthReward()})
    scores = ranker(strategy, candidates_of(strategy, [' "hello  there" ', "", "hello there", "x"]))
    assert scores[0] == scores[2] != scores[3]
    assert scores[1] == -math.inf
    assert all(len(call) == 2 * len(DESCRIPTIONS) for call in toy.calls)
    empty = ranker(strategy, candidates_of(strategy, ["", " \n"]))
    assert empty == [-math.inf, -math.inf]


def test_a_text_beyond_the_context_is_no_number():
    class Narrow:
        def score_continuations(self, pairs):
            return [-math.inf for _ in pairs]

    judge = TextJudge(Narrow(), QUESTIONS)
    assert math.isnan(judge.label_logprobs(["long"], label="a")[0])


def test_a_space_goes_where_none_is():
    assert joined("Intent:", "x") == ("Intent:", " x")
    assert joined("<|assistant|>\n", "x") == ("<|assistant|>\n", "x")
    assert joined("", "x") == ("", "x")


@pytest.mark.parametrize(
    "strategy",
    [
        Greedy(),
        Nucleus(),
        NoisyChannel(),
        Nucleus(best_of=BestOf(scorer="label_posterior")),
        Nucleus(best_of=BestOf(scorer=RewardScorer(name="r"))),
    ],
)
def test_what_was_not_opened_is_an_error(strategy):
    with pytest.raises(ValueError, match=r"open|ranks no"):
        Ranker()(strategy, candidates_of(strategy, TEXTS))
