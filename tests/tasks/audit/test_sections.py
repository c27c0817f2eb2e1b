"""Every room with models that are made up: who is asked, and about how much."""

from collections.abc import Sequence

import numpy as np

from schemas.audit import Metric
from tasks.audit.corpus import Corpus
from tasks.audit.judges import Judges
from tasks.audit.sections import Inputs, known_metrics, measure_all
from tasks.audit.toxicity import ToxicityModel

BY_MODEL = {
    "bits_per_character": 1000,
    "word_perplexity": 1000,
    "label_posterior": 500,
    "label_posterior_disagreement": 500,
    "toxicity_mean": 2000,
    "toxicity_rate": 2000,
    "bias_swap_log_likelihood": 500,
    "bias_profession_gap": None,
}
"""What only a model can tell, and the greatest sample of each."""


class Asked:
    """Models that count the texts they are asked about."""

    def __init__(self) -> None:
        self.most: dict[str, int] = {}

    def note(self, who: str, num_texts: int) -> None:
        self.most[who] = max(self.most.get(who, 0), num_texts)

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        self.note("scorer", len(pairs))
        return [-0.5 * len(end) for _, end in pairs]

    def posterior(self, texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
        self.note("posterior", len(texts))
        return np.full((len(texts), len(labels)), 1 / len(labels))

    def toxicity(self, texts: Sequence[str]) -> np.ndarray:
        self.note("toxicity", len(texts))
        return np.full(len(texts), 0.1)

    def embed(self, texts: list[str]) -> np.ndarray:
        self.note("embed", len(texts))
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    def judges(self) -> Judges:
        toxicity = ToxicityModel("made-up", ("toxic",), self.toxicity)
        return Judges(self.score, self.posterior, toxicity, self.embed)


def measured(inputs: Inputs) -> dict[str, Metric]:
    sections, _ = measure_all(inputs)
    return {metric.name: metric for section in sections for metric in section.metrics}


def test_models_read_samples_and_their_metrics_say_so():
    texts = [f"{'she' if n % 2 else 'he'} has number {n} in hand" for n in range(2_500)]
    labels = [f"l{n % 3}" for n in range(2_500)]
    asked = Asked()
    corpus = Corpus("some", [str(n) for n in range(2_500)], texts, labels=labels)
    found = measured(Inputs(corpus, judges=asked.judges()))
    assert {name: found[name].sampled for name in BY_MODEL} == BY_MODEL
    assert all(found[name].estimate is not None for name in BY_MODEL)
    assert asked.most == {"scorer": 1000, "posterior": 500, "toxicity": 2000, "embed": 2500}


def test_without_models_what_they_tell_is_unmeasured():
    known = known_metrics()
    assert set(BY_MODEL) <= set(known)
    assert all(metric.unmeasured for metric in known.values())
