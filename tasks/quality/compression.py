"""Compression ratio: how much of a corpus a compressor finds said before."""

import zlib
from collections.abc import Iterable
from hashlib import blake2b

LEVEL = 9


def compression_ratio(texts: Iterable[str]) -> float | None:
    """Return the bytes of a corpus over those of its compressed form: the higher, the more repeats.

    The texts are sorted by a hash of theirs (BLAKE2b, 8 bytes), so that the ratio does not depend
    on their order and copies are neighbours, joined by line ends, encoded as UTF-8 and compressed
    by zlib at level 9, which sees repeats at most 32 KiB apart.

    Short corpora compress less well: compare ratios between samples of one size only.

    Returns:
        A positive number, below 1 for a few short texts; None when no text has a character.

    References:
        Shaib et al., 2024. https://arxiv.org/abs/2403.00553
    """
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    encoded.sort(key=lambda line: (blake2b(line, digest_size=8).digest(), line))
    joined = b"\n".join(encoded)
    if not any(encoded):
        return None
    return len(joined) / len(zlib.compress(joined, LEVEL))
