import math

import pytest
import torch

from schemas.strategies import Length
from tasks.decoding.length import forbid_early_end, is_full


@pytest.mark.parametrize("ends", [[], [2], [0, 4]])
def test_ends_are_masked_only_in_rows_that_are_too_short(ends):
    logits = torch.arange(15.0).reshape(3, 5)
    masked = forbid_early_end(
        logits,
        steps_B=torch.tensor([0, 2, 3]),
        end_ids_E=torch.tensor(ends, dtype=torch.long),
        length=Length(min=3, max=9),
    )
    expected = logits.clone()
    expected[:2, ends] = -math.inf
    assert torch.equal(masked, expected)
    assert logits[0, 0] == 0


@pytest.mark.parametrize(("least", "most"), [(0, 1), (1, 3), (3, 3), (2, 4)])
def test_a_whole_text_has_at_most_max_tokens_its_end_included(least, most):
    length = Length(min=least, max=most)
    sizes = []
    for num_tokens in range(10):
        if num_tokens and is_full(num_tokens, length=length):
            break
        logits = forbid_early_end(
            torch.zeros(1, 2),
            steps_B=torch.tensor([num_tokens]),
            end_ids_E=torch.tensor([0]),
            length=length,
        )
        if logits[0, 0] == 0:
            sizes.append(num_tokens + 1)
    assert sizes == list(range(least + 1, most + 1))


def test_a_text_is_full_at_its_greatest_length():
    assert [is_full(count, length=Length(max=3)) for count in (2, 3, 4)] == [False, True, True]
