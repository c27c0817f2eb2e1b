"""Where words of a normalised text stand in the text as it was written."""

from bisect import bisect_left, bisect_right

from tasks.quality.fingerprints import normalise_text


def span_of_words(text: str, start: int, length: int) -> tuple[int, int]:
    """Find where a run of a text's words begins and ends.

    The words are those of `normalise_text`, which may fold one character into several or join a
    letter and its accent, so places are found by asking it how many words a part of the text has.
    A word that ends in a combining mark may lose it.

    Args:
        text: The text as it was written.
        start: Number of the first word, from 0.
        length: Words in the run, at least 1.

    Returns:
        First code point of the run, and the one after its last.

    Raises:
        ValueError: If the text has no such words.
    """
    num_words = _count(text)
    if not 0 <= start < start + length <= num_words:
        raise ValueError(f"words {start} to {start + length} of {num_words}")
    places = range(len(text) + 1)
    # The longest beginning without the first word of the run, the shortest ending without its last.
    begin = bisect_right(places, start, key=lambda place: _count(text[:place])) - 1
    rest = num_words - start - length
    end = bisect_left(places, -rest, key=lambda place: -_count(text[place:]))
    return begin, end


def _count(text: str) -> int:
    # Thousands of parts of one text have no place in the cache of whole ones.
    return len(normalise_text.__wrapped__(text).split())
