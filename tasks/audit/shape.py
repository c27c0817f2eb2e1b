"""Shape: is every row a text, readable, in the language, of a length and in the shares wanted?"""

from collections.abc import Mapping

from schemas.audit import Group, Section
from tasks.audit.corpus import Corpus
from tasks.audit.shape_echo import measure_echoes
from tasks.audit.shape_faults import measure_rates
from tasks.audit.shape_language import measure_language
from tasks.audit.shape_lengths import measure_lengths_of
from tasks.audit.shape_shares import measure_attributes, measure_labels

_SAMPLE_KEY = "shape"


def measure(
    *,
    corpus: Corpus,
    reference: Corpus | None,
    examples: Corpus | None = None,
    language: str | None,
    asked: Mapping[str, float] | None,
    asked_attributes: Mapping[str, Mapping[str, float]],
) -> Section:
    """Measure nulls, encodings, leftovers, echoes, language, lengths and shares.

    Baselines are the same figures of as many rows of the reference, or of all when it has fewer.

    Args:
        corpus: What is audited; any number of rows.
        reference: Real texts of the task; None or empty when there are none.
        examples: What the generator was shown; of one vocabulary with the others.
        language: BCP 47 tag of the language asked for; None measures the commonest one.
        asked: Weight of each label asked for; None when nothing was.
        asked_attributes: Weight of each value by attribute, a column of the corpus; may be empty.
    """
    real = reference.sample(len(corpus), key=_SAMPLE_KEY) if reference is not None else None
    if real is not None and not len(real):
        real = None
    parts = (
        measure_rates(corpus, real),
        measure_echoes(corpus, real, examples=examples),
        measure_language(corpus, real, language=language),
        measure_lengths_of(corpus, real),
        measure_labels(corpus, real, asked=asked),
        measure_attributes(corpus, asked=asked_attributes),
    )
    return Section.joined(Group.SHAPE, parts)
