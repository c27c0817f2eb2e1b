"""Money: what has been spent at an endpoint, and what the requests in flight may cost at most."""

from schemas.models import Price
from tasks.generation.replay_log import Usage

NOTHING = Usage()


class Purse:
    """Lets requests go only while the worst case of all of them fits into the budget.

    Args:
        price: What tokens cost; None when nobody said, and nothing is counted.
        limit: Most US dollars to spend; None for no limit.
        spent: What was used before.
    """

    def __init__(self, price: Price | None, limit: float | None, *, spent: Usage = NOTHING) -> None:
        self._price = price
        self._limit = limit if price is not None else None
        self._spent = spent
        self._held = NOTHING
        self.in_flight = 0
        """Requests that money is held for."""

    @property
    def usd(self) -> float | None:
        """US dollars spent so far; None without a price."""
        return self._spent.usd(self._price)

    def hold(self, most: Usage) -> bool:
        """Hold what a request may cost at most; False, and nothing held, when it does not fit."""
        held = self._held + most
        if self._limit is not None and self._cost(self._spent + held) > self._limit:
            return False
        self._held = held
        self.in_flight += 1
        return True

    def settle(self, most: Usage, *, used: Usage) -> None:
        """Give back what was held for a request, and spend what it used."""
        self._held = Usage(
            self._held.prompt_tokens - most.prompt_tokens,
            self._held.completion_tokens - most.completion_tokens,
        )
        self.in_flight -= 1
        self._spent += used

    def _cost(self, usage: Usage) -> float:
        return usage.usd(self._price) or 0.0
