from schemas.strategies import STRATEGY_CLASSES, TOKEN_STRATEGIES
from tasks.generation.matrix import MATRIX
from tasks.generation.support import SUPPORT

KINDS = {strategy.model_fields["kind"].default for strategy in STRATEGY_CLASSES}


def test_every_strategy_runs_somewhere_and_every_cell_names_one() -> None:
    assert set().union(*MATRIX.values()) == KINDS
    assert all(kinds for kinds in MATRIX.values())


def test_every_backend_of_the_matrix_is_in_it() -> None:
    assert set(SUPPORT) - {"transformers", "scripted"} == set(MATRIX) - {
        "decoder-only",
        "encoder-decoder",
        "masked",
    }
    # Whatever a family runs, its backend lets through.
    for family in ("decoder-only", "encoder-decoder", "masked"):
        assert MATRIX[family] <= SUPPORT["transformers"]


def test_masked_models_have_only_strategies_of_one_token() -> None:
    single = {strategy.model_fields["kind"].default for strategy in TOKEN_STRATEGIES}
    assert MATRIX["masked"] < single
