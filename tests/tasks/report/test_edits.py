from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import Edit
from tasks.report.edits import mark_edits


@st.composite
def noised(draw: st.DrawFn) -> tuple[str, list[Edit], str]:
    clean = text = draw(st.text("abc <", min_size=1, max_size=30))
    edits = []
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 5)))
        after = draw(st.text("xyz", max_size=3))
        edits.append(Edit(kind="k", start=start, end=end, before=text[start:end], after=after))
        text = text[:start] + after + text[end:]
    return clean, edits, text


@given(noised())
@settings(deadline=None, max_examples=300)
def test_segments_join_to_the_clean_text_and_to_the_noised_text(
    case: tuple[str, list[Edit], str],
) -> None:
    clean, edits, text = case
    segments = mark_edits(clean, edits, text, limit=1000)
    assert "".join(part.before for part in segments) == clean
    assert "".join(part.after for part in segments) == text
    for part in segments:
        match part.kind:
            case "same":
                assert part.before == part.after != ""
            case "deleted":
                assert part.before
                assert not part.after
            case "inserted":
                assert part.after
                assert not part.before
            case "replaced":
                assert part.before
                assert part.after


@given(noised(), st.integers(1, 12))
@settings(deadline=None, max_examples=300)
def test_a_cut_shows_the_beginning_of_both_texts(
    case: tuple[str, list[Edit], str], limit: int
) -> None:
    clean, edits, text = case
    segments = mark_edits(clean, edits, text, limit=limit)
    assert clean.startswith("".join(part.before for part in segments))
    assert text.startswith("".join(part.after for part in segments))
    assert sum(max(len(part.before), len(part.after)) for part in segments) <= max(limit, 1)


def test_edits_are_named_by_what_they_did() -> None:
    edits = [
        Edit(kind="word_delete", start=2, end=6, before="lost", after=""),
        Edit(kind="keyboard", start=3, end=4, before="m", after="n"),
        Edit(kind="char_insert", start=5, end=5, before="", after="!"),
    ]
    segments = mark_edits("i lost my card", edits, "i  ny! card", limit=100)
    assert [(part.kind, part.before, part.after) for part in segments] == [
        ("same", "i ", "i "),
        ("deleted", "lost", ""),
        ("same", " ", " "),
        ("replaced", "m", "n"),
        ("same", "y", "y"),
        ("inserted", "", "!"),
        ("same", " card", " card"),
    ]


def test_a_log_that_leads_elsewhere_is_one_replacement() -> None:
    edits = [Edit(kind="k", start=0, end=1, before="a", after="b")]
    (part,) = mark_edits("abc", edits, "xyz", limit=10)
    assert (part.kind, part.before, part.after) == ("replaced", "abc", "xyz")


def test_thousands_of_edits_of_a_long_text_show_its_beginning() -> None:
    clean = "word " * 20_000
    edits = [
        Edit(kind="keyboard", start=5 * n, end=5 * n + 1, before="w", after="q")
        for n in range(20_000)
    ]
    segments = mark_edits(clean, edits, "qord " * 20_000, limit=100)
    assert "".join(part.after for part in segments).startswith("qord qord qord")
    assert len(segments) <= 100
