"""The language that the texts are in."""

from collections import Counter

import numpy as np

from schemas.audit import Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.intervals import share
from tasks.audit.shape_faults import NO_ROWS, show_rows
from tasks.quality.language import (
    LEAST_LETTERS,
    LEAST_PROBABILITY,
    Languages,
    identify_languages,
    known_language,
)

_SAMPLE_ROWS = 20_000
_SAMPLE_KEY = "language"
_MOST_LANGUAGES = 20
# Of short real English texts up to 0.7 % of those judged are given another language.
_MISTAKEN = 0.01
_SOURCE = "Lui and Baldwin, langid.py, ACL 2012. https://aclanthology.org/P12-3005"
_UNJUDGED = (
    f"fewer than {LEAST_LETTERS} bytes of letters, or no language with a probability of at least "
    f"{LEAST_PROBABILITY:g}"
)


def measure_language(corpus: Corpus, real: Corpus | None, *, language: str | None) -> Section:
    """Measure the share of texts in a language, on at most 20,000 rows.

    Args:
        corpus: What is audited.
        real: As many rows of the reference, or fewer when it is smaller.
        language: BCP 47 tag of the language asked for; None takes the commonest one.
    """
    sample = corpus.sample(_SAMPLE_ROWS, key=_SAMPLE_KEY)
    found = identify_languages(sample.strings)
    theirs = None
    if real is not None:
        theirs = identify_languages(real.sample(_SAMPLE_ROWS, key=_SAMPLE_KEY).strings)
    code = known_language(language) if language else _commonest(found)
    estimate = _share_in(found, code)
    sampled = len(sample) if len(sample) < len(corpus) else None
    metric = Metric(
        name="language_share",
        group=Group.SHAPE,
        title=f"Texts in the {'language asked for' if language else 'commonest language'}",
        unit="share",
        better="higher",
        estimate=estimate,
        unmeasured=None if estimate else _reason(corpus, language, code),
        baseline=_share_in(theirs, code) if estimate and theirs else None,
        sampled=sampled if estimate else None,
        definition=f"Share of the judged texts whose most probable language is {code or 'it'} "
        f"(py3langid's bundled model). Not judged: {_UNJUDGED}.",
        source=_SOURCE,
    )
    return Section(
        group=Group.SHAPE,
        metrics=(metric, _unjudged(found, theirs, sampled)),
        tables=(_table(found, theirs),),
        findings=_findings(sample, found, metric, code),
    )


def _commonest(found: Languages) -> str | None:
    seen = Counter(code for code in found.codes if code)
    return min(seen, key=lambda code: (-seen[code], code), default=None)


def _share_in(found: Languages, code: str | None) -> Estimate | None:
    judged = [other for other in found.codes if other]
    return share(judged.count(code), len(judged)) if judged and code else None


def _reason(corpus: Corpus, language: str | None, code: str | None) -> str:
    if not len(corpus):
        return NO_ROWS
    if language and code is None:
        return f"the model does not know the language {language}"
    return f"no text could be judged: {_UNJUDGED}"


def _unjudged(found: Languages, theirs: Languages | None, sampled: int | None) -> Metric:
    def estimate(languages: Languages | None) -> Estimate | None:
        if languages is None or not languages.codes:
            return None
        return share(languages.codes.count(None), len(languages.codes))

    own = estimate(found)
    return Metric(
        name="language_unjudged_rate",
        group=Group.SHAPE,
        title="Texts whose language was not judged",
        unit="share",
        better="neither",
        estimate=own,
        unmeasured=None if own else NO_ROWS,
        baseline=estimate(theirs) if own else None,
        sampled=sampled,
        definition=f"Share of the rows with {_UNJUDGED}.",
        source=_SOURCE,
    )


def _findings(
    sample: Corpus, found: Languages, metric: Metric, code: str | None
) -> tuple[Finding, ...]:
    estimate = metric.estimate
    if estimate is None or estimate.high is None or 1 - estimate.high <= _MISTAKEN:
        return ()
    places = np.array([p for p, c in enumerate(found.codes) if c and c != code], dtype=np.int64)
    code_of = {sample.strings[place]: found.codes[place] for place in places.tolist()}
    scope = "" if metric.sampled is None else f" in a sample of {metric.sampled:,} rows"
    return (
        Finding(
            name="language_share",
            group=Group.SHAPE,
            what=f"{places.size:,} of {estimate.n:,} judged texts ({1 - estimate.value:.1%})"
            f"{scope} are in another language than {code}.",
            action="Generate these rows again with the language named in the prompt, or drop them.",
            rows=int(places.size),
            evidence=show_rows(
                sample.take(places), lambda text: ((), f"looks like {code_of[text]}")
            ),
        ),
    )


def _table(found: Languages, theirs: Languages | None) -> Table:
    seen = Counter(code or "not judged" for code in found.codes)
    real = Counter(code or "not judged" for code in theirs.codes) if theirs else Counter[str]()
    names = sorted(seen.keys() | real.keys(), key=lambda name: (-seen[name], -real[name], name))
    rows = [
        (
            name,
            seen[name],
            seen[name] / len(found.codes) if found.codes else None,
            real[name] / len(theirs.codes) if theirs and theirs.codes else None,
        )
        for name in names[:_MOST_LANGUAGES]
    ]
    return Table(
        name="languages",
        group=Group.SHAPE,
        title="Languages of the texts",
        caption="ISO 639 codes; zxx is letters in no language. Short texts are now and then given "
        "a neighbour of their language (pcm, Nigerian Pidgin, for en).",
        columns=("language", "rows", "share", "share in reference"),
        rows=tuple(rows),
        left_out=max(0, len(names) - _MOST_LANGUAGES),
    )
