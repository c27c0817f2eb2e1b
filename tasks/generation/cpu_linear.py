"""Linear layers on a CPU, computed by oneDNN.

torch gives float32 products to MKL, which does not use all that other makers' cores can do: on one
of AMD's it reached 95 GFLOP/s, oneDNN 225 (1,824 rows, 256 x 704 weights, one or two threads).
"""

import platform

import torch
from torch import Tensor, nn

_X86 = ("x86_64", "AMD64")


class OneDnnLinear(nn.Linear):
    """A linear layer whose product oneDNN computes; for inference, as it keeps no gradient."""

    def forward(self, input: Tensor) -> Tensor:
        """Return `input @ weight.T + bias`, shape `(..., out_features)`."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            input, self.weight, self.bias, "none", [], ""
        )
        return product


def use_onednn(weights: nn.Module) -> None:
    """Let oneDNN compute the float32 linear layers of a model on an x86 CPU; else do nothing.

    Weights are neither copied nor changed; shared ones stay shared. Layers of other classes, which
    compute in their own way, are left alone.
    """
    if not _is_there():
        return
    for module in weights.modules():
        if type(module) is nn.Linear and _fits(module.weight):
            module.__class__ = OneDnnLinear


def _fits(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32


def _is_there() -> bool:
    # The operator is torch's own, without a public name: another version may lack it.
    return (
        platform.machine() in _X86
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
