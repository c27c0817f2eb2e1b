"""Tokens replaced or lost, at the places where a tokenizer cuts."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import regex

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.resources import Tokenizer
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints, Mask, Strings, offsets_of
from tasks.noise.survival import spare_one
from tasks.noise.units import Units, find_clusters

# Joins neither what stands before it nor what comes after (Unicode annex 29).
_LONER = regex.compile(r"\p{GCB=XX}")


class _Pool(NamedTuple):
    """The texts that tokens may become, none twice, and the place of each id's text among them.

    Args:
        texts: P strings.
        place_of: Place of each id in `texts`, -1 for an id that is never drawn, shape `(V,)`.
    """

    texts: Strings
    place_of: Ints


class _Tokens(NamedTuple):
    """Tokens of a batch: their places, their ids, which are whole clusters, which not blank."""

    units: Units
    ids: Ints
    is_whole: Mask
    has_ink: Mask


def token_replace(batch: TextBatch, dice: Dice, tokenizer: Tokenizer) -> Splices:
    """Replace tokens by random ones, each with the text's rate as its probability.

    Every text that a token of the vocabulary writes is equally likely, that of the token itself
    left out. Special tokens, white space and byte pieces that are no whole characters are never
    drawn or replaced; a token that begins or ends inside a grapheme cluster is left as it is.

    Args:
        batch: The texts.
        dice: The draws.
        tokenizer: Where tokens begin and end, and what there is to draw.

    References:
        Hoogeboom et al., Argmax flows and multinomial diffusion, NeurIPS 2021 (uniform replacement
        at a noise level). https://arxiv.org/abs/2102.05379
    """
    pool = _pool(tokenizer)
    if not len(pool.texts):
        return Splices.none()
    tokens = _find_tokens(batch, tokenizer)
    hits = dice.hits(tokens.units, among=tokens.is_whole & tokens.has_ink)
    own = pool.place_of[tokens.ids[hits]]
    is_drawable = own >= 0
    num_others = len(pool.texts) - is_drawable
    drawn = dice.choices(tokens.units, hits, num_others)
    drawn += is_drawable & (drawn >= own)
    starts, ends = tokens.units.starts[hits], tokens.units.ends[hits]
    afters = pool.texts.take(np.minimum(drawn, len(pool.texts) - 1))
    splices = Splices(tokens.units.rows_of(hits), starts, ends, afters)
    return splices.where(_differ(batch, splices))


def token_delete(batch: TextBatch, dice: Dice, tokenizer: Tokenizer) -> Splices:
    """Delete tokens, each with the text's rate as its probability.

    A token that begins or ends inside a grapheme cluster stays. Where every token that is more than
    white space would go, the one with the greatest draw stays.

    Args:
        batch: The texts.
        dice: The draws.
        tokenizer: Where tokens begin and end.

    References:
        Lewis et al., BART (token deletion), ACL 2020. https://arxiv.org/abs/1910.13461
    """
    units, _, is_whole, has_ink = _find_tokens(batch, tokenizer)
    lost = spare_one(units, dice.hits(units, among=is_whole), dice, counted=has_ink)
    return Splices.deleting(units.rows_of(lost), units.starts[lost], units.ends[lost])


def _find_tokens(batch: TextBatch, tokenizer: Tokenizer) -> _Tokens:
    texts = batch.strings.to_arrow().to_pylist()
    ids, starts, ends, offsets = tokenizer.encode_with_offsets(texts)
    first = np.repeat(batch.offsets[:-1], np.diff(offsets))
    starts, ends = starts + first, ends + first
    is_bound = np.zeros(batch.code_points.size + 1, np.bool_)
    is_bound[find_clusters(batch).starts] = True
    is_bound[batch.offsets] = True
    is_whole = (starts < ends) & is_bound[starts] & is_bound[ends]
    # Pieces of one code point stand at the same place: none of them is the whole of it.
    overlaps = starts[1:] < ends[:-1]
    is_whole[1:] &= ~overlaps
    is_whole[:-1] &= ~overlaps
    ink_before = offsets_of(~batch.is_space)
    has_ink = ink_before[ends] > ink_before[starts]
    return _Tokens(Units(starts, ends, offsets), ids, is_whole, has_ink)


def _differ(batch: TextBatch, splices: Splices) -> Mask:
    """Tell which replacements change something: a tokenizer may fold case or spell out unknowns."""
    befores = batch.strings.slices(splices.starts, splices.ends).to_arrow().to_pylist()
    afters = splices.afters.to_arrow().to_pylist()
    return np.array([b != a for b, a in zip(befores, afters, strict=True)], np.bool_)


@lru_cache(maxsize=8)
def _pool(tokenizer: Tokenizer) -> _Pool:
    place_of = np.full(tokenizer.vocabulary_size, -1)
    places: dict[str, int] = {}
    for token_id in range(place_of.size):
        text = tokenizer.decode_token(token_id)
        if _stands_alone(text):
            place_of[token_id] = places.setdefault(text, len(places))
    return _Pool(Strings.of(list(places)), place_of)


def _stands_alone(text: str) -> bool:
    """Tell whether a token's text has ink, and can be shown and joins no neighbour's cluster."""
    ink = text.strip()
    is_shown = bool(ink) and ink.isprintable() and "\ufffd" not in ink
    return is_shown and all(_LONER.match(char) for char in (ink[0], ink[-1]))
