from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.models import Price
from tasks.generation.endpoint_purse import Purse
from tasks.generation.replay_log import Usage

PRICE = Price(prompt=500_000, completion=1_000_000)  # half a dollar a token read, one written


def test_money_is_held_for_the_worst_case_and_given_back() -> None:
    purse = Purse(PRICE, 5.0, spent=Usage(1, 1))
    assert purse.usd == 1.5
    assert purse.hold(Usage(1, 2))
    assert not purse.hold(Usage(1, 1))
    assert purse.in_flight == 1
    purse.settle(Usage(1, 2), used=Usage(1, 0))
    assert (purse.usd, purse.in_flight) == (2.0, 0)
    assert purse.hold(Usage(0, 3))
    assert not purse.hold(Usage(1, 0))


def test_without_a_limit_or_a_price_everything_goes() -> None:
    assert Purse(PRICE, None).hold(Usage(10**9, 10**9))
    free = Purse(None, 1.0)
    assert free.hold(Usage(10**9, 10**9))
    assert free.usd is None


usages = st.builds(Usage, st.integers(0, 5), st.integers(0, 5))


@settings(deadline=None)
@given(st.lists(st.tuples(usages, usages), max_size=30), st.integers(0, 60))
def test_what_is_spent_never_exceeds_the_limit(
    pairs: list[tuple[Usage, Usage]], limit: int
) -> None:
    purse = Purse(PRICE, float(limit))
    held: list[tuple[Usage, Usage]] = []
    for most, part in pairs:
        used = Usage(
            min(most.prompt_tokens, part.prompt_tokens),
            min(most.completion_tokens, part.completion_tokens),
        )
        if purse.hold(most):
            held.append((most, used))
        if len(held) > 3:
            first, spent = held.pop(0)
            purse.settle(first, used=spent)
        assert purse.usd is not None
        assert purse.usd <= limit
    for most, used in held:
        purse.settle(most, used=used)
    assert purse.usd is not None
    assert purse.usd <= limit
