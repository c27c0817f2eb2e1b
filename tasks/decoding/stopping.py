"""Stopping: stop strings are matched in decoded text; one may begin and end inside tokens."""

from collections.abc import Sequence

MAX_BYTES_PER_CHARACTER = 4


def cut_at_stop(text: str, *, stops: Sequence[str]) -> tuple[str, bool]:
    """Cut a text before the first place where any stop string begins.

    Args:
        text: Decoded text.
        stops: Stop strings, none of them empty; may be none.

    Returns:
        The text up to there, and whether there was a stop string.
    """
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


def tail_length(stops: Sequence[str]) -> int:
    """Count the last tokens whose text must be searched after each new one.

    A stop string that the newest token completes spans at most as many tokens as it has UTF-8
    bytes, since a visible token stands for at least one. A character's worth of tokens is added in
    front, because a tail may open in the middle of a character, and decoders treat the first
    token's space differently.
    """
    return max(len(stop.encode()) for stop in stops) + MAX_BYTES_PER_CHARACTER
