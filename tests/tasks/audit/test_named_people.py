"""Names, found by a double of Presidio: its package and its model are not installed here."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tasks.audit.corpus import Corpus
from tasks.audit.named_people import SAMPLE_ROWS, measure
from tasks.quality import named_people

NAMES = {"Ada Byron": "PERSON", "Turin": "LOCATION"}


class Engine:
    """Finds the names of `NAMES`, last first."""

    def __init__(self, *, nlp_engine: Any, supported_languages: list[str]) -> None:
        assert (nlp_engine, supported_languages) == ("en_core_web_lg", ["en"])

    def analyze(self, *, text: str, language: str, entities: list[str]) -> list[Any]:
        assert language == "en"
        found = [
            SimpleNamespace(start=text.index(name), end=text.index(name) + len(name), entity_type=k)
            for name, k in NAMES.items()
            if name in text and k in entities
        ]
        return sorted(found, key=lambda one: -one.start)


def module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    vars(made).update(content)
    return made


@pytest.fixture
def presidio(monkeypatch: pytest.MonkeyPatch) -> None:
    def provider(*, nlp_configuration: dict[str, Any]) -> Any:
        (model,) = nlp_configuration["models"]
        return SimpleNamespace(create_engine=lambda: model["model_name"])

    for made in (
        module("presidio_analyzer", AnalyzerEngine=Engine),
        module("presidio_analyzer.nlp_engine", NlpEngineProvider=provider),
        module(named_people.MODEL),
    ):
        monkeypatch.setitem(sys.modules, made.__name__, made)


def corpus(texts: list[str]) -> Corpus:
    return Corpus(name="c", ids=[f"r{n}" for n in range(len(texts))], texts=texts)


def test_without_presidio_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (metric,) = measure(corpus=corpus(["a text"]), language="en").metrics
    assert "corpusmith[presidio]" in (metric.unmeasured or "")
    monkeypatch.setitem(sys.modules, "presidio_analyzer", module("presidio_analyzer"))
    (metric,) = measure(corpus=corpus(["a text"]), language="en").metrics
    assert "spacy download en_core_web_lg" in (metric.unmeasured or "")


@pytest.mark.usefixtures("presidio")
def test_rows_that_name_somebody_are_counted_and_masked() -> None:
    texts = ["Ada Byron lives in Turin", "nobody is here", "a train to Turin", ""]
    section = measure(corpus=corpus(texts), language="en-GB")
    (metric,), (finding,) = section.metrics, section.findings
    assert metric.estimate is not None
    assert (metric.estimate.value, metric.estimate.n, metric.sampled) == (0.5, 4, None)
    assert finding.what.startswith("2 of 4 rows")
    assert "1 of them a person" in finding.what
    first, second = finding.evidence
    assert (len(first.text), first.note) == (len(texts[0]), "location, person")
    assert not any(name in row.text for row in finding.evidence for name in NAMES)
    assert [(span.start, span.end) for span in second.spans] == [(11, 16)]


@pytest.mark.usefixtures("presidio")
def test_a_sample_is_read_and_only_english() -> None:
    many = measure(corpus=corpus(["to Turin"] * (SAMPLE_ROWS + 1)), language=None)
    assert many.metrics[0].sampled == SAMPLE_ROWS
    assert len(many.findings[0].evidence) == 20
    assert measure(corpus=corpus(["Turin"]), language="it").metrics[0].estimate is None
    assert measure(corpus=corpus([]), language=None).metrics[0].estimate is None
