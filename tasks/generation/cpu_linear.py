"""Linear layers on a CPU, computed by oneDNN.

torch gives float32 products to MKL, which does not use all that other makers' cores can do: on one
of AMD's it reached 95 GFLOP/s, oneDNN 225 (1,824 rows, 256 x 704 weights, one or two threads).

N rows, K inputs, M outputs.
"""

import platform

import torch
from torch import Tensor, nn

_X86 = ("x86_64", "AMD64")
_BLOCK = 256
"""Rows of one product. More are no faster."""
_ROUNDED_TO = 32
_SMALL, _SMALL_ROUNDED_TO = 32, 8


class OneDnnLinear(nn.Linear):
    """A linear layer whose product oneDNN computes; for inference, as it keeps no gradient.

    oneDNN compiles a kernel for every number of rows, in a millisecond and half a megabyte. So rows
    are computed in blocks, and a smaller block is filled up with zeros to one of a dozen sizes.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `input @ weight.T + bias`, shape `(..., M)` of `(..., K)`."""
        rows_NK = input.reshape(-1, self.in_features)
        if len(rows_NK) <= _BLOCK:
            product_NM = self._product(rows_NK)
        else:
            product_NM = rows_NK.new_empty(len(rows_NK), self.out_features)
            for first in range(0, len(rows_NK), _BLOCK):
                block = slice(first, first + _BLOCK)
                product_NM[block] = self._product(rows_NK[block])
        return product_NM.view(*input.shape[:-1], self.out_features)

    def _product(self, rows_NK: Tensor) -> Tensor:
        num_rows = len(rows_NK)
        missing = padded_rows(num_rows) - num_rows
        if missing:
            rows_NK = nn.functional.pad(rows_NK, (0, 0, 0, missing))
        product_NM: Tensor = torch.ops.mkldnn._linear_pointwise(
            rows_NK, self.weight, self.bias, "none", [], ""
        )
        return product_NM[:num_rows]


def padded_rows(num_rows: int) -> int:
    """Return the size of the block that so many rows are computed in."""
    if num_rows <= 1:
        return num_rows
    step = _SMALL_ROUNDED_TO if num_rows <= _SMALL else _ROUNDED_TO
    return -(-num_rows // step) * step


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
