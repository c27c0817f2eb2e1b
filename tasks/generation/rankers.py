"""What ranks candidates: their own probability, their label's, a reward model, a noisy channel."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from schemas.strategies import LogprobScorer, NoisyChannel, RewardScorer, Scorer, Strategy
from schemas.strategies_token import SAMPLED, LabelPosteriorScorer
from tasks.generation.cleaning import clean_reply
from tasks.generation.protocol import Completion, TextScorer


class Reward(Protocol):
    """A reward model at work."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return a score for each pair of a prompt and the text that answers it."""
        ...


@dataclass(frozen=True)
class Questions:
    """How a model is asked about a text: prompts as it takes them.

    Args:
        label_of: Makes the prompt that a label's description answers, from a text.
        alone: Prompt behind which a text stands with nothing said about it; "" for none.
        descriptions: Description of each label, by its name.
    """

    label_of: Callable[[str], str]
    alone: str
    descriptions: Mapping[str, str]


class TextJudge:
    """Reads texts with the model that wrote them.

    Args:
        scorer: The model.
        questions: How it is asked.
    """

    def __init__(self, scorer: TextScorer, questions: Questions) -> None:
        self._scorer = scorer
        self._questions = questions

    def label_logprobs(self, texts: Sequence[str], *, label: str) -> list[float]:
        """Return log p(label | text) over the recipe's labels, all equally likely beforehand.

        p(label | text) is proportional to the exponential of the summed log-probabilities of the
        tokens of the label's description behind the question about the text. They are not divided
        by their number: a long description is at a disadvantage, but at the same one for all
        candidates of a row.

        Args:
            texts: The texts.
            label: The label asked for, one of the recipe's.

        Returns:
            Natural logarithms, at most 0; NaN for a text that does not fit into the context.
        """
        names = list(self._questions.descriptions)
        pairs = [
            joined(self._questions.label_of(text), description)
            for text in texts
            for description in self._questions.descriptions.values()
        ]
        sums = self._scorer.score_continuations(pairs)
        rows = [sums[start : start + len(names)] for start in range(0, len(sums), len(names))]
        return [row[names.index(label)] - _logsumexp(row) for row in rows]

    def text_logprobs(self, texts: Sequence[str]) -> list[float]:
        """Return log p(text) of each text, summed over its tokens, behind no instruction."""
        return self._scorer.score_continuations(
            [joined(self._questions.alone, text) for text in texts]
        )


def joined(prompt: str, text: str) -> tuple[str, str]:
    """Pair a prompt with what continues it: a space goes between, unless there is one or no prompt.

    White space at the end of a chat prompt is part of its format, and no further space is wanted.
    """
    return prompt, text if not prompt or prompt[-1].isspace() else f" {text}"


@dataclass(frozen=True)
class Ranker:
    """Scores the candidates of a row by its strategy: `ranking.Rank`.

    What is scored is the text as it would be released, cleaned; one of which nothing is left scores
    `-inf` with every scorer but `logprob`.

    Args:
        judge: Reads texts with the model that wrote them; None where no strategy asks for it.
        rewards: Reward models by the name that recipes give.
    """

    judge: TextJudge | None = None
    rewards: Mapping[str, Reward] = field(default_factory=dict)

    def __call__(self, strategy: Strategy, candidates: Sequence[Completion]) -> list[float]:
        """Score the candidates of one row, none of them an error; more is better.

        Raises:
            ValueError: If the strategy ranks nothing, or what it needs was not opened.
        """
        match strategy:
            case NoisyChannel():
                return self._channel(strategy, candidates)
            case _ if isinstance(strategy, SAMPLED) and strategy.best_of is not None:
                return self._best_of(strategy.best_of.scorer, candidates)
            case _:
                raise ValueError(f"{strategy.kind} ranks no candidates")

    def _best_of(self, scorer: Scorer, candidates: Sequence[Completion]) -> list[float]:
        request = candidates[0].request
        match scorer:
            case LogprobScorer():
                return [_total(c) / max(c.num_tokens, 1) for c in candidates]
            case LabelPosteriorScorer():
                judge = self._open_judge()
                return _by_text(
                    candidates, lambda texts: judge.label_logprobs(texts, label=request.label)
                )
            case RewardScorer(name=name):
                if name not in self.rewards:
                    raise ValueError(f"the reward model {name!r} was not opened")
                reward = self.rewards[name]
                return _by_text(
                    candidates, lambda texts: reward.score([(request.prompt, t) for t in texts])
                )
            case _:
                assert_never(scorer)

    def _channel(self, strategy: NoisyChannel, candidates: Sequence[Completion]) -> list[float]:
        """Score by log p(text | prompt) + w1 log p(label | text) + w2 log p(text).

        References:
            Yee et al., EMNLP 2019. https://arxiv.org/abs/1908.05731
        """
        judge, label = self._open_judge(), candidates[0].request.label

        def by_channel(texts: Sequence[str]) -> list[float]:
            labels = judge.label_logprobs(texts, label=label) if strategy.channel_weight else ()
            priors = judge.text_logprobs(texts) if strategy.prior_weight else ()
            return [
                strategy.channel_weight * channel + strategy.prior_weight * prior
                for channel, prior in zip(
                    labels or [0.0] * len(texts), priors or [0.0] * len(texts), strict=True
                )
            ]

        behind = _by_text(candidates, by_channel)
        return [_total(c) + score for c, score in zip(candidates, behind, strict=True)]

    def _open_judge(self) -> TextJudge:
        if self.judge is None:
            raise ValueError("no model that scores texts was opened")
        return self.judge


def _total(candidate: Completion) -> float:
    """Return log p(text | prompt); `-inf` where it is not known."""
    if candidate.total_logprob is not None:
        return candidate.total_logprob
    return -math.inf if candidate.logprob is None else candidate.logprob * candidate.num_tokens


def _by_text(
    candidates: Sequence[Completion], score: Callable[[Sequence[str]], Sequence[float]]
) -> list[float]:
    """Score candidates by their cleaned texts, equal ones once; `-inf` where nothing is left."""
    texts = [clean_reply(reply.text, prompt=reply.request.prompt) for reply in candidates]
    different = list(dict.fromkeys(filter(None, texts)))
    scores = dict(zip(different, score(different), strict=True)) if different else {}
    return [scores.get(text, -math.inf) for text in texts]


def _logsumexp(values: Sequence[float]) -> float:
    greatest = max(values)
    if not math.isfinite(greatest):
        return math.nan
    return greatest + math.log(sum(math.exp(value - greatest) for value in values))
