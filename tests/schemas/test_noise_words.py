"""Word steps of a recipe: what is refused, and what stands for what."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.noise_words import Filler, SpanMask, Truncate, WordMask, WordReplace, WordStep

STEPS = TypeAdapter(WordStep)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (WordMask, {"mask": " "}),
        (WordMask, {"words": ["\n"]}),
        (WordMask, {"mask_share": 0.95, "random_share": 0.1}),
        (WordReplace, {"words": []}),
        (WordReplace, {"words": "all"}),
        (WordReplace, {"words": ["a"], "weighting": "tfidf"}),
        (Filler, {"fillers": []}),
        (SpanMask, {"mask": ""}),
        (SpanMask, {"mean_length": 0}),
        (Truncate, {"share": 0}),
        (Truncate, {"words": 0}),
        (Truncate, {"share": 0.5, "words": 5}),
    ],
)
def test_what_makes_no_sense_is_refused(kind, settings):
    assert kind(rate=0.1)
    with pytest.raises(ValidationError):
        kind(rate=0.1, **settings)


def test_shares_may_fill_the_whole():
    assert WordMask(rate=0.1, mask_share=0.9, random_share=0.1)


@pytest.mark.parametrize("kind", ["word_swap", "contraction", "span_mask", "truncate", "misspell"])
def test_a_level_stands_for_a_rate(kind):
    step = STEPS.validate_python({"kind": kind, "level": "heavy"})
    assert step.kind == kind
    assert step.rate_of(None) == 0.2
