from datetime import UTC, datetime
from email.utils import format_datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.models import OpenAIModel
from tasks.generation.endpoint_retry import MOST_SECONDS, pause_seconds, retry_after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@given(seed=st.integers(0, 2**63 - 1), tries=st.integers(0, 200))
def test_a_pause_is_a_function_of_seed_and_try_within_its_bound(seed: int, tries: int) -> None:
    pause = pause_seconds(seed, tries)
    assert pause == pause_seconds(seed, tries)
    bound = min(MOST_SECONDS, 0.5 * 2.0**tries)
    assert bound / 2 <= pause < bound


@given(seed=st.integers(0, 2**63 - 1))
def test_the_tries_of_a_recipe_that_says_nothing_outlast_a_minute(seed: int) -> None:
    retries = OpenAIModel.model_fields["retries"].default
    assert sum(pause_seconds(seed, tries) for tries in range(retries)) >= 60


def test_pauses_spread_over_the_whole_interval() -> None:
    pauses = np.array([pause_seconds(seed, 3) for seed in range(2000)]) / 2.0 - 1.0
    counts, _ = np.histogram(pauses, bins=10, range=(0, 1))
    # Chi-square with 9 degrees of freedom: 33.7 is exceeded once in 10,000 times.
    assert ((counts - 200) ** 2 / 200).sum() < 33.7


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        (format_datetime(NOW.replace(minute=2), usegmt=True), 120.0),
        (format_datetime(NOW.replace(hour=11), usegmt=True), 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("1" * 400, None),
        ("Sat, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_or_ignored(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, now=NOW.timestamp()) == seconds


@given(st.text(max_size=120))
def test_no_header_is_too_strange(header: str) -> None:
    seconds = retry_after(header, now=NOW.timestamp())
    assert seconds is None or seconds >= 0
