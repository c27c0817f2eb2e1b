from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.decoding.stopping import cut_at_stop, tail_length

stops = st.lists(st.text("ab\né", min_size=1, max_size=3), min_size=1, max_size=3)


@settings(deadline=None)
@given(text=st.text("ab\né", max_size=20), stops=stops)
def test_the_text_is_cut_before_the_first_place_where_a_stop_begins(text, stops):
    places = [place for place in range(len(text)) if any(text.startswith(s, place) for s in stops)]
    expected = (text[: places[0]], True) if places else (text, False)
    assert cut_at_stop(text, stops=stops) == expected


def test_no_stop_strings_cut_nothing():
    assert cut_at_stop("abc", stops=()) == ("abc", False)


@settings(deadline=None)
@given(
    text=st.text(min_size=1, max_size=30),
    stops=st.lists(st.text(min_size=1, max_size=4), min_size=1),
)
def test_the_tail_shows_every_stop_that_the_last_byte_completes(text, stops):
    # The finest tokens possible, one a byte: the tail must hold a stop that has just been
    # completed.
    tokens = (text + stops[0]).encode("utf-8", "replace")
    tail = tokens[-tail_length(stops) :].decode("utf-8", "replace")
    assert stops[0].encode("utf-8", "replace").decode() in tail
