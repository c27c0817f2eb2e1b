import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tasks.generation import cpu_linear
from tasks.generation.cpu_linear import OneDnnLinear, padded_rows, use_onednn

pytestmark = pytest.mark.skipif(not cpu_linear._is_there(), reason="torch has no oneDNN here")


@settings(deadline=None, max_examples=40)
@given(
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    sizes=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    bias=st.booleans(),
    transposed=st.booleans(),
)
def test_it_computes_the_product(
    shape: list[int], sizes: tuple[int, int], bias: bool, transposed: bool
) -> None:
    torch.manual_seed(sum(shape))
    layer = nn.Linear(*sizes, bias=bias)
    inputs = torch.randn(*shape, sizes[0])
    if transposed:
        inputs = inputs.transpose(0, -1).contiguous().transpose(0, -1)
    assert layer.weight is not None
    wanted = inputs.double() @ layer.weight.double().T
    if bias:
        wanted = wanted + layer.bias.double()
    use_onednn(layer)
    assert type(layer) is OneDnnLinear
    with torch.inference_mode():
        found = layer(inputs)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("num_rows", [0, 1, 2, 31, 33, 255, 256, 257, 700])
def test_any_number_of_rows(num_rows: int) -> None:
    layer = nn.Linear(12, 7)
    inputs = torch.randn(num_rows, 12)
    wanted = inputs.double() @ layer.weight.double().T + layer.bias.double()
    use_onednn(layer)
    with torch.inference_mode():
        torch.testing.assert_close(layer(inputs).double(), wanted, rtol=1e-5, atol=1e-5)


def test_blocks_have_few_sizes() -> None:
    sizes = {padded_rows(num_rows) for num_rows in range(257)}
    assert len(sizes) == 13
    assert all(padded_rows(num_rows) >= num_rows for num_rows in range(257))


class Scaled(nn.Linear):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(input)


def test_only_plain_float32_layers_change_and_weights_stay() -> None:
    model = nn.Sequential(nn.Linear(4, 4), Scaled(4, 4), nn.Linear(4, 4, dtype=torch.bfloat16))
    tied = nn.Linear(4, 4, bias=False)
    tied.weight = model[0].weight
    model.append(tied)
    names = list(model.state_dict())
    use_onednn(model)
    assert [type(layer) for layer in model] == [OneDnnLinear, Scaled, nn.Linear, OneDnnLinear]
    assert model[3].weight is model[0].weight
    assert list(model.state_dict()) == names


def test_without_onednn_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    layer = nn.Linear(2, 2)
    use_onednn(layer)
    assert type(layer) is nn.Linear
