from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_CHARS
from tasks.audit.shown_rows import shown_row


def corpus_of(*texts: str | None) -> Corpus:
    return Corpus(name="c", ids=[f"r{i}" for i in range(len(texts))], texts=texts, labels=None)


def test_a_phrase_is_marked_where_it_stands() -> None:
    text = "No way, no. NO  way no! anno way no"
    found = shown_row(corpus_of(text), 0, phrase="no way no")
    assert [text[span.start : span.end] for span in found.spans] == ["No way, no", "NO  way no"]


def test_long_and_hostile_texts() -> None:
    found = shown_row(corpus_of("\ud800" + "a+" * 100_000), 0, phrase="a a a")
    assert (len(found.text), found.chars, found.id) == (MOST_CHARS, 200_001, "r0")
    assert found.text.startswith("\ufffda+")
    assert shown_row(corpus_of(None), 0).text == ""


def test_a_label_is_shown() -> None:
    corpus = Corpus(name="c", ids=["1"], texts=["a"], labels=["x\udcff"])
    assert shown_row(corpus, 0, note="n").model_dump(include={"label", "note", "spans"}) == {
        "label": "x\ufffd",
        "note": "n",
        "spans": (),
    }
