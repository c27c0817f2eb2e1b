"""The measures order the texts of a real model by the temperature that they are drawn at."""

from statistics import mean

import pytest

from tasks.quality.diversity import distinct_n
from tasks.quality.fingerprints import normalise_text
from tasks.quality.self_bleu import self_bleu
from tasks.quality.vendi import character_kernel, vendi_score
from tasks.starter import STARTER_FOLDER
from tasks.starter.corpus import utterance_prompt
from tasks.starter.generation import Sampling, complete, load_starter

TEMPERATURES = (0.3, 0.7, 1.0, 1.4)
DESCRIPTIONS = (
    "asks when a new card arrives",
    "wants to book a table at a restaurant",
    "asks what the weather will be",
)
NUM_TEXTS = 150
NUM_WORDS = 800


@pytest.fixture(scope="module")
def texts_at() -> dict[float, list[str]]:
    model, tokenizer = load_starter(STARTER_FOLDER)
    prompts = [utterance_prompt(DESCRIPTIONS[row % 3]) for row in range(NUM_TEXTS)]
    return {
        temperature: complete(
            prompts,
            model=model,
            tokenizer=tokenizer,
            sampling=Sampling(top_p=1.0, temperature=temperature, max_new_tokens=20),
            seed=0,
        )
        for temperature in TEMPERATURES
    }


def test_distinct_bigrams_rise(texts_at: dict[float, list[str]]) -> None:
    found = []
    for texts in texts_at.values():
        # At an equal number of words: hot texts are of another length.
        words = " ".join(texts).split()
        assert len(words) >= NUM_WORDS
        found.append(distinct_n([" ".join(words[:NUM_WORDS])], 2))
    assert found == sorted(set(found))


def test_the_vendi_score_rises(texts_at: dict[float, list[str]]) -> None:
    found = [vendi_score(character_kernel(texts)) for texts in texts_at.values()]
    assert found == sorted(set(found))


def test_self_bleu_falls(texts_at: dict[float, list[str]]) -> None:
    found = [
        mean(self_bleu([normalise_text(text).split() for text in texts]))
        for texts in texts_at.values()
    ]
    assert found == sorted(set(found), reverse=True)
