import pytest
import torch
from transformers import AutoModelForCausalLM

from tasks.generation.network import Network, probe


def network_of(folder):
    return Network(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval())


class IgnoresMask(Network):
    def forward(self, input_BT, *, position_BT, mask_BT, cache):
        return super().forward(input_BT, position_BT=position_BT, mask_BT=None, cache=cache)


class IgnoresPositions(Network):
    def forward(self, input_BT, *, position_BT, mask_BT, cache):
        position_BT = torch.zeros_like(position_BT) + torch.arange(position_BT.shape[1])
        return super().forward(input_BT, position_BT=position_BT, mask_BT=mask_BT, cache=cache)


def trial(network):
    return probe(network, device=torch.device("cpu"), dtype=torch.float32)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_padding_is_borne_when_masks_and_positions_are_heeded(family, request):
    assert trial(network_of(request.getfixturevalue(family))).pads_left


@pytest.mark.parametrize(
    ("family", "broken"),
    [("llama", IgnoresMask), ("gpt2", IgnoresMask), ("gpt2", IgnoresPositions)],
)
def test_the_trial_catches_a_model_that_padding_disturbs(family, broken, request):
    network = network_of(request.getfixturevalue(family))
    assert not trial(broken(network._model)).pads_left


def test_logits_are_those_of_the_last_position(llama):
    network = network_of(llama)
    tokens = torch.tensor([[5, 6, 7, 8]])
    places = torch.arange(4)[None]
    with torch.no_grad():
        whole, _ = network.forward(tokens, position_BT=places, mask_BT=None, cache=None)
        _, cache = network.forward(
            tokens[:, :3], position_BT=places[:, :3], mask_BT=None, cache=None
        )
        last, _ = network.forward(
            tokens[:, 3:], position_BT=places[:, 3:], mask_BT=None, cache=cache
        )
    assert whole.shape == (1, 259)
    torch.testing.assert_close(last, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("num_last", [1, 3, 5])
def test_a_whole_sequence_is_read_at_once(llama, num_last):
    network = network_of(llama)
    tokens = torch.tensor([5, 6, 7, 8, 9])
    with torch.no_grad():
        logits = network.read(tokens, num_last=num_last)
        last, _ = network.forward(
            tokens[None], position_BT=torch.arange(5)[None], mask_BT=None, cache=None
        )
    assert logits.shape == (num_last, 259)
    torch.testing.assert_close(logits[-1:], last, rtol=1e-4, atol=1e-4)
