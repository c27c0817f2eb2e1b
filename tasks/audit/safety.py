"""Safety of a dataset: words that hurt, texts that speak to a model, toxicity."""

from collections import Counter
from collections.abc import Iterator

from schemas.audit import Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import row_rate
from tasks.audit.safety_findings import GOALS, safety_findings
from tasks.audit.safety_scan import HIDING, SPEAKING, Scan, is_any, is_slur, is_strong_profanity
from tasks.audit.toxicity import ToxicityModel, measure_toxicity
from tasks.quality import injections, safety_lexicons
from tasks.quality.injections import Trick
from tasks.quality.safety_lexicons import LEXICON

_MOST_PHRASES = 50
_LISTS = (
    f"a list of {len(LEXICON)} English words and phrases (version {safety_lexicons.VERSION}); "
    "whole words, whatever the case and punctuation. Other languages are not covered."
)
_PATTERNS = f"English patterns (version {injections.VERSION})"
_OWASP = "OWASP LLM01:2025. https://genai.owasp.org/llmrisk/llm01-prompt-injection/"


def measure(*, corpus: Corpus, reference: Corpus | None, toxicity: ToxicityModel | None) -> Section:
    """Measure profanity, slurs, prompt injections and toxicity.

    Args:
        corpus: The dataset.
        reference: Real data: the baseline is the rate in as many of its rows.
        toxicity: A classifier; it reads a sample.

    Raises:
        ValueError: If the classifier returns anything but one probability for each text.
    """
    scan = Scan.of(corpus)
    usual = None
    if reference is not None:
        usual = Scan.of(reference.sample(len(corpus), key="baseline"))
    metrics, toxic = measure_toxicity(corpus, reference=reference, model=toxicity)
    return Section(
        group=Group.SAFETY,
        metrics=(*_rates(scan, usual), *metrics),
        tables=(_phrase_table(scan, usual), _trick_table(scan, usual)),
        findings=(*safety_findings(scan), *toxic),
    )


def _rates(scan: Scan, usual: Scan | None) -> Iterator[Metric]:
    words = (
        ("profanity_rate", "Rows with profanity or slurs", "profanity or a slur", is_any),
        (
            "strong_profanity_rate",
            "Rows with strong profanity",
            "strong profanity",
            is_strong_profanity,
        ),
        ("slur_rate", "Rows with slurs", "a slur", is_slur),
    )
    for name, title, which, chosen in words:
        yield row_rate(
            name,
            Group.SAFETY,
            says=(title, f"Share of rows with {which}, by {_LISTS}", ""),
            count=scan.count_phrases(chosen),
            baseline=None if usual is None else usual.count_phrases(chosen),
        )
    speaking = "tells a model to drop its rules or to show its prompt, imitates a chat template or "
    tricks = (
        ("prompt_injection_rate", "Rows with prompt injections", SPEAKING,
         f"Share of rows with text that {speaking}smuggles data out in an image's address, by "
         f"{_PATTERNS}: known wordings only."),
        ("hidden_text_rate", "Rows with hidden text", HIDING,
         "Share of rows with Unicode tag characters, direction overrides, four or more zero-width "
         "characters or two or more variation selectors in a row, or markup that hides its text."),
    )  # fmt: skip
    for name, title, chosen_tricks, definition in tricks:
        yield row_rate(
            name,
            Group.SAFETY,
            says=(title, definition, _OWASP),
            count=scan.count_tricks(chosen_tricks),
            baseline=None if usual is None else usual.count_tricks(chosen_tricks),
        )


def _phrase_table(scan: Scan, usual: Scan | None) -> Table:
    by_rows = sorted(scan.phrase_rows, key=lambda p: (-len(scan.phrase_rows[p]), p))
    shown = by_rows[:_MOST_PHRASES]
    return Table(
        name="profanity",
        group=Group.SAFETY,
        title="Words and phrases found",
        caption=f"Rows with each, most first, by {_LISTS}",
        columns=("phrase", "kind", "severity", "rows", "rows of the reference"),
        rows=tuple(
            (
                LEXICON[phrase].phrase,
                LEXICON[phrase].kind,
                LEXICON[phrase].severity,
                len(scan.phrase_rows[phrase]),
                None if usual is None else len(usual.phrase_rows.get(phrase, ())),
            )
            for phrase in shown
        ),
        left_out=len(by_rows) - len(shown),
    )


def _trick_table(scan: Scan, usual: Scan | None) -> Table:
    places = Counter(found.trick for found in scan.injections)
    return Table(
        name="prompt_injections",
        group=Group.SAFETY,
        title="Prompt injections by kind",
        caption=f"Rows and places, by {_PATTERNS}.",
        columns=("kind", "what it does", "rows", "places", "rows of the reference"),
        rows=tuple(
            (
                trick.value,
                GOALS[trick],
                scan.count_tricks([trick]).rows,
                places[trick],
                None if usual is None else usual.count_tricks([trick]).rows,
            )
            for trick in Trick
        ),
    )
