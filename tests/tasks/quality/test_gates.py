"""Every gate at its bound, their order, and the table they make."""

from dataclasses import replace
from itertools import combinations

import pyarrow as pa
import pytest

from schemas.gates import UNSENT, Reason, RowGates, Stage
from schemas.row import CANDIDATE_SCHEMA, SCORED_SCHEMA, SCORES
from tasks.quality.fingerprints import FingerprintIndex
from tasks.quality.gates import judge, score_candidates
from tasks.quality.scores import Candidate, Scores

GOOD = Candidate("where is my card", "card_arrival", "Write.", (), "eos", None)
FINE = Scores(16, 4, 0.0, 0.0, 0.0, 0.0, 0.0)
OFF = RowGates.all_off()
ELSEWHERE = (Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.USD_BUDGET)
ORDER = [reason for reason in Reason if reason not in ELSEWHERE]


FAILURES = {
    Reason.GENERATION_ERROR: {"finish_reason": "error", "error": "logits are NaN"},
    Reason.EMPTY: {"text": " \u200b\n"},
    Reason.UNFINISHED: {"finish_reason": "length"},
    Reason.CHARS: {"num_chars": 9},
    Reason.WORDS: {"num_words": 81},
    Reason.REPETITION: {"repetition": 0.51},
    Reason.PROMPT_ECHO: {"prompt_overlap": 0.81},
    Reason.EXAMPLE_ECHO: {"example_similarity": 0.8},
    Reason.LABEL_LEAK: {"label_leak": 1.0},
    Reason.MEMORISED: {"memorised": 1.0},
}
GATE_OF = {
    Reason.UNFINISHED: "finished",
    **{
        reason: reason.value
        for reason in ORDER
        if reason not in (Reason.GENERATION_ERROR, Reason.EMPTY, Reason.UNFINISHED)
    },
}


def failing(*reasons):
    candidate, scores = GOOD, FINE
    for reason in reasons:
        changes = FAILURES[reason]
        if set(changes) <= set(Scores.__slots__):
            scores = replace(scores, **changes)
        else:
            candidate = replace(candidate, **changes)
    return candidate, scores


def test_a_good_candidate_passes():
    assert judge(GOOD, FINE, gates=RowGates()) is None


@pytest.mark.parametrize("reason", ORDER)
def test_each_gate_rejects_alone(reason):
    verdict = judge(*failing(reason), gates=RowGates())
    assert verdict.reason is reason
    assert verdict.stage is (
        Stage.GENERATE if reason is Reason.GENERATION_ERROR else Stage.ROW_GATE
    )
    assert verdict.detail


@pytest.mark.parametrize(("first", "second"), list(combinations(ORDER, 2)))
def test_the_first_gate_of_the_order_is_named(first, second):
    # Both are statements about the finish reason, so no candidate fails both.
    if (first, second) != (Reason.GENERATION_ERROR, Reason.UNFINISHED):
        assert judge(*failing(first, second), gates=RowGates()).reason is first


@pytest.mark.parametrize(("reason", "gate"), list(GATE_OF.items()))
def test_a_gate_can_be_turned_off(reason, gate):
    gates = RowGates.model_validate({gate: "off"})
    assert judge(*failing(reason), gates=gates) is None


def test_two_gates_cannot_be_turned_off():
    assert judge(*failing(Reason.EMPTY), gates=OFF).reason is Reason.EMPTY
    assert judge(*failing(Reason.GENERATION_ERROR), gates=OFF).reason is Reason.GENERATION_ERROR


def test_a_row_that_was_not_sent_for_want_of_money_says_so():
    unsent = replace(GOOD, finish_reason="error", error=UNSENT)
    verdict = judge(unsent, FINE, gates=OFF)
    assert (verdict.stage, verdict.reason) == (Stage.GENERATE, Reason.USD_BUDGET)


@pytest.mark.parametrize(
    ("scores", "reason", "detail"),
    [
        ({"num_chars": 10}, None, None),
        ({"num_chars": 400}, None, None),
        ({"num_chars": 412}, Reason.CHARS, "412 characters, at most 400"),
        ({"num_chars": 9}, Reason.CHARS, "9 characters, at least 10"),
        ({"num_words": 2}, None, None),
        ({"num_words": 80}, None, None),
        ({"num_words": 1}, Reason.WORDS, "1 word, at least 2"),
        ({"repetition": 0.5}, None, None),
        ({"prompt_overlap": 0.8}, None, None),
        ({"example_similarity": 0.7999}, None, None),
        (
            {"example_similarity": 4 / 5},
            Reason.EXAMPLE_ECHO,
            "similarity 0.800 to an example, less than 0.8",
        ),
    ],
)
def test_bounds(scores, reason, detail):
    verdict = judge(GOOD, replace(FINE, **scores), gates=RowGates())
    assert (verdict and verdict.reason, verdict and verdict.detail) == (reason, detail)


def row(**changes):
    return {
        **{"row": 0, "attempt": 0, "id": "a-000000-0", "label": "card_arrival"},
        **{"strategy_index": 0, "strategy": "greedy", "seed": 1, "attributes": [("tone", "calm")]},
        **{"examples": ["has my new card been sent"], "template": "t", "prompt": "Write."},
        **{"model": "m", "raw_text": "raw", "text": "where is my card", "num_tokens": 4},
        **{"logprob": None, "finish_reason": "eos", "error": None},
        **changes,
    }


def candidates(*rows):
    return pa.Table.from_pylist(list(rows), schema=CANDIDATE_SCHEMA)


# Of 31 character 5-grams, " card" and "s my " stand in both texts.
SIMILARITY = pytest.approx(2 / 31)


def test_a_table_of_candidates():
    table = candidates(
        row(),
        row(text="Has my new card been sent?"),
        row(text="", finish_reason="error", error="out of range"),
        row(text="I know this text"),
        row(text="the card arrival is late"),
    )
    scored = score_candidates(
        table,
        gates=RowGates.model_validate({"example_echo": "off"}),
        known=FingerprintIndex.of_texts(["i know this text"]),
    )
    assert scored.schema.equals(SCORED_SCHEMA, check_metadata=True)
    scored.validate(full=True)
    assert scored.select(CANDIDATE_SCHEMA.names).equals(table)
    assert scored["reason"].to_pylist() == [
        *(None, "memorised", "generation_error", "memorised", "label_leak"),
    ]
    assert scored["stage"].to_pylist() == [None, "row_gate", "generate", "row_gate", "row_gate"]
    assert scored["detail"].to_pylist()[:3] == [
        *(None, "a copy of an example or of the model's training text", "out of range"),
    ]
    assert scored["scores"].to_pylist()[0] == dict(
        zip(SCORES, (16, 4, 0, 0, SIMILARITY, 0, 0), strict=True)
    )


def test_an_error_without_words_still_has_a_detail():
    scored = score_candidates(candidates(row(finish_reason="error")), gates=OFF, known=None)
    assert scored["detail"].to_pylist() == ["the backend gave no reason"]


def test_an_empty_table():
    scored = score_candidates(candidates(), gates=RowGates(), known=None)
    assert scored.num_rows == 0
    assert scored.schema.equals(SCORED_SCHEMA, check_metadata=True)


def test_chunks_do_not_matter():
    tables = [candidates(row(text=text)) for text in ("where is my card", "x", "lost it again")]
    whole = pa.concat_tables(tables)
    parts = [score_candidates(table, gates=RowGates(), known=None) for table in tables]
    assert score_candidates(whole, gates=RowGates(), known=None).equals(pa.concat_tables(parts))
