from schemas.audit import Group, Span
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import Count, excerpt, row_rate


def test_a_row_is_cut_and_its_spans_with_it() -> None:
    text = "x" * 298 + "bad words"
    corpus = Corpus(name="c", ids=["r\ud800"], texts=[text], labels=["l"])
    shown = excerpt(corpus, 0, text=text, spans=[(298, 301), (302, 307)], note="\udfff")
    assert (shown.id, shown.note, shown.label) == ("r\ufffd", "\ufffd", "l")
    assert (len(shown.text), shown.chars) == (300, 307)
    assert shown.spans == (Span(start=298, end=300),)


def test_a_rate_has_its_interval_and_its_baseline() -> None:
    says = ("Title", "What.", "Where.")
    rate = row_rate("r", Group.SAFETY, says=says, count=Count(3, 1200), baseline=Count(0, 9))
    assert rate.estimate == intervals.share(3, 1200)
    assert rate.baseline == intervals.share(0, 9)
    empty = row_rate("r", Group.SAFETY, says=says, count=Count(0, 0), baseline=Count(0, 0))
    assert (empty.estimate, empty.baseline) == (None, None)
    assert empty.unmeasured == "the corpus has no rows"
    assert str(Count(3, 1200)) == "3 of 1,200 rows (0.25 %)"
    assert str(Count(5, 5)) == "5 of 5 rows (100 %)"
