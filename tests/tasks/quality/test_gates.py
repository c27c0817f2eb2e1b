"""Every gate at its bound, their order, and the table they make."""

from dataclasses import replace
from itertools import combinations

import pyarrow as pa
import pytest

from schemas.gates import UNSENT, Reason, RowGates, Stage
from schemas.row import CANDIDATE_SCHEMA, SCORED_SCHEMA, SCORES
from schemas.strategies import Greedy, Length
from tasks.quality.fingerprints import FingerprintIndex
from tasks.quality.gates import judge, score_candidates
from tasks.quality.scores import Candidate, Scores

GOOD = Candidate("where is my card", "card_arrival", "Write.", (), "eos", None)
FINE = Scores(16, 4, 0.0, 0.0, 0.0, 0.0, 0.0)
OFF = RowGates.all_off()
ALWAYS = (Reason.GENERATION_ERROR, Reason.OUTPUT_INVALID, Reason.EMPTY)
ELSEWHERE = (Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.USD_BUDGET)
ORDER = [reason for reason in Reason if reason not in ELSEWHERE]


FAILURES = {
    Reason.GENERATION_ERROR: {"finish_reason": "error", "error": "logits are NaN"},
    Reason.OUTPUT_INVALID: {"error": "stars: 7 is greater than the maximum of 5"},
    Reason.EMPTY: {"text": " \u200b\n"},
    Reason.UNFINISHED: {"finish_reason": "length"},
    Reason.CHARS: {"num_chars": 9},
    Reason.WORDS: {"num_words": 81},
    Reason.LENGTH_TARGET: {"target": 200, "unit": "chars", "tolerance": 0},
    Reason.REPETITION: {"repetition": 0.51},
    Reason.PROMPT_ECHO: {"prompt_overlap": 0.81},
    Reason.EXAMPLE_ECHO: {"example_similarity": 0.8},
    Reason.LABEL_LEAK: {"label_leak": 1.0},
    Reason.MEMORISED: {"memorised": 1.0},
}
GATE_OF = {
    Reason.UNFINISHED: "finished",
    **{reason: reason.value for reason in ORDER if reason not in (*ALWAYS, Reason.UNFINISHED)},
}


def judge_failing(*reasons, gates):
    candidate, scores, length = GOOD, FINE, Length()
    for reason in reasons:
        changes = FAILURES[reason]
        if reason is Reason.LENGTH_TARGET:
            length = Length.model_validate(changes)
        elif set(changes) <= set(Scores.__slots__):
            scores = replace(scores, **changes)
        else:
            candidate = replace(candidate, **changes)
    return judge(candidate, scores, gates=gates, length=length)


def test_a_good_candidate_passes():
    assert judge(GOOD, FINE, gates=RowGates(), length=Length()) is None


@pytest.mark.parametrize("reason", ORDER)
def test_each_gate_rejects_alone(reason):
    verdict = judge_failing(reason, gates=RowGates())
    assert verdict.reason is reason
    assert verdict.stage is (Stage.GENERATE if reason in ALWAYS[:2] else Stage.ROW_GATE)
    assert verdict.detail


@pytest.mark.parametrize(("first", "second"), list(combinations(ORDER, 2)))
def test_the_first_gate_of_the_order_is_named(first, second):
    # Both are statements about the finish reason, so no candidate fails both.
    if (first, second) != (Reason.GENERATION_ERROR, Reason.UNFINISHED):
        assert judge_failing(first, second, gates=RowGates()).reason is first


@pytest.mark.parametrize(("reason", "gate"), list(GATE_OF.items()))
def test_a_gate_can_be_turned_off(reason, gate):
    gates = RowGates.model_validate({gate: "off"})
    assert judge_failing(reason, gates=gates) is None


@pytest.mark.parametrize("reason", ALWAYS)
def test_three_gates_cannot_be_turned_off(reason):
    assert judge_failing(reason, gates=OFF).reason is reason


def test_a_row_that_was_not_sent_for_want_of_money_says_so():
    unsent = replace(GOOD, finish_reason="error", error=UNSENT)
    verdict = judge(unsent, FINE, gates=OFF, length=Length())
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
    verdict = judge(GOOD, replace(FINE, **scores), gates=RowGates(), length=Length())
    assert (verdict and verdict.reason, verdict and verdict.detail) == (reason, detail)


@pytest.mark.parametrize(
    ("length", "scores", "detail"),
    [
        ({"target": 8, "unit": "words"}, {"num_words": 13}, "13 words, 8 +- 4 wanted"),
        ({"target": 8, "unit": "words"}, {"num_words": 3}, "3 words, 8 +- 4 wanted"),
        ({"target": 8, "unit": "words"}, {"num_words": 12}, None),
        ({"target": 8, "unit": "words"}, {"num_words": 4}, None),
        ({"target": 5, "unit": "words"}, {"num_words": 2}, "2 words, 5 +- 2.5 wanted"),
        ({"target": 5, "unit": "words", "tolerance": 0}, {"num_words": 5}, None),
        (
            {"target": 5, "unit": "words", "tolerance": 0},
            {"num_words": 6},
            "6 words, 5 +- 0 wanted",
        ),
        ({"target": 40, "unit": "chars"}, {"num_chars": 61}, "61 characters, 40 +- 20 wanted"),
        ({"target": 40, "unit": "chars"}, {"num_chars": 60, "num_words": 70}, None),
        # As floats, 0.29 * 100 is a little less than 29.
        ({"target": 100, "unit": "chars", "tolerance": 0.29}, {"num_chars": 129}, None),
        (
            {"target": 100, "unit": "chars", "tolerance": 0.29},
            {"num_chars": 130},
            "130 characters, 100 +- 29 wanted",
        ),
        ({"target": 8, "unit": "tokens"}, {"num_words": 60}, None),
        ({"unit": "words"}, {"num_words": 60}, None),
    ],
)
def test_length_targets(length, scores, detail):
    scores, length = replace(FINE, **scores), Length.model_validate(length)
    verdict = judge(GOOD, scores, gates=RowGates(), length=length)
    assert (verdict and verdict.detail) == detail
    assert verdict is None or verdict.reason is Reason.LENGTH_TARGET
    assert judge(GOOD, scores, gates=OFF, length=length) is None


def test_every_row_has_the_target_of_its_own_strategy():
    strategies = [
        Greedy(),
        Greedy(length=Length(target=4, unit="words", tolerance=0)),
        Greedy(length=Length(target=9, unit="words", tolerance=0)),
    ]
    table = candidates(*(row(strategy_index=place) for place in (2, 1, 0, 1)))
    scored = score_candidates(table, strategies, gates=RowGates(), known=None)
    assert scored["reason"].to_pylist() == ["length_target", None, None, None]


def row(**changes):
    return {
        **{"row": 0, "attempt": 0, "id": "a-000000-0", "label": "card_arrival"},
        **{"strategy_index": 0, "strategy": "greedy", "seed": 1, "group_seed": 1},
        **{"member": 0, "weight": None, "attributes": [("tone", "calm")]},
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
        [Greedy()],
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
    scored = score_candidates(
        candidates(row(finish_reason="error")), [Greedy()], gates=OFF, known=None
    )
    assert scored["detail"].to_pylist() == ["the backend gave no reason"]


def test_an_empty_table():
    scored = score_candidates(candidates(), [Greedy()], gates=RowGates(), known=None)
    assert scored.num_rows == 0
    assert scored.schema.equals(SCORED_SCHEMA, check_metadata=True)


def test_chunks_do_not_matter():
    tables = [candidates(row(text=text)) for text in ("where is my card", "x", "lost it again")]
    whole = pa.concat_tables(tables)
    parts = [score_candidates(table, [Greedy()], gates=RowGates(), known=None) for table in tables]
    assert score_candidates(whole, [Greedy()], gates=RowGates(), known=None).equals(
        pa.concat_tables(parts)
    )
