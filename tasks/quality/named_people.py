"""Names of people and places in texts, by Presidio where it and its model are installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

MODEL = "en_core_web_lg"
"""The spaCy model that Presidio recommends for English."""
ENTITIES = ("PERSON", "LOCATION")
"""What no pattern finds; `tasks.quality.pii` finds the rest."""
MOST_CHARS = 10_000
"""Characters of a text that are read: its first."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text.

    Args:
        text: Place of the text.
        start: Where the name begins, in code points.
        end: Where it ends.
        kind: One of `ENTITIES`.
    """

    text: int
    start: int
    end: int
    kind: str


def why_not() -> str | None:
    """Say why names cannot be looked for; None when they can.

    Presidio would fetch a model that is missing: nothing is fetched here.
    """
    if find_spec("presidio_analyzer") is None:
        return "presidio is not installed: pip install 'corpusmith[presidio]'"
    if find_spec(MODEL) is None:
        return f"presidio's model is not installed: python -m spacy download {MODEL}"
    return None


def find_names(texts: Sequence[str]) -> list[Named]:
    """Find the names of people and places in English texts, in the order of the texts.

    Args:
        texts: The texts; of each the first `MOST_CHARS` characters are read.

    References:
        Presidio, https://microsoft.github.io/presidio
    """
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": MODEL}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    analyzer = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    return [
        Named(place, found.start, found.end, found.entity_type)
        for place, text in enumerate(texts)
        for found in sorted(
            analyzer.analyze(text=text[:MOST_CHARS], language="en", entities=list(ENTITIES)),
            key=lambda found: (found.start, found.end),
        )
    ]
