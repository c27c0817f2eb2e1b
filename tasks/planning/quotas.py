"""Whole numbers of rows out of shares."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def largest_remainder(shares: Sequence[float], total: int) -> NDArray[np.int64]:
    """Divide `total` rows by shares: each share rounded down, then the rest handed out.

    The rest goes, one row each, to the largest remainders; ties to the earlier share. The
    arithmetic is exact, so shares of wildly different size still add up, and each quota differs
    from its exact share by less than one row.

    Args:
        shares: Weights >= 0, finite, at least one above 0; only their ratios matter.
        total: Rows to divide, >= 0.

    Returns:
        Rows for each share, shape `(len(shares),)`; they add up to `total`.

    Raises:
        ValueError: If a share is negative or not finite, if none is above 0, or if `total` < 0.

    References:
        Hamilton's method of apportionment; Balinski and Young, Fair Representation, 1982.
    """
    if total < 0:
        raise ValueError(f"total must be at least 0, not {total}")
    if not np.isfinite(shares).all() or any(share < 0 for share in shares) or not any(shares):
        raise ValueError("shares must be finite, not negative, and not all 0")
    ratios = [share.as_integer_ratio() for share in shares]
    # Denominators of floats are powers of two: the largest is a multiple of all the others.
    scale = max(denominator for _, denominator in ratios)
    weights = [numerator * (scale // denominator) for numerator, denominator in ratios]
    whole = sum(weights)
    quotas, remainders = zip(*(divmod(weight * total, whole) for weight in weights), strict=True)
    result = np.array(quotas, dtype=np.int64)
    by_remainder = sorted(range(len(weights)), key=lambda place: -remainders[place])
    result[by_remainder[: total - sum(quotas)]] += 1
    return result
