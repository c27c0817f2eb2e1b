"""Row gates: scores of every candidate, and the first gate that it fails."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

import pyarrow as pa

from schemas.gates import UNSENT, Reason, RowGates, Stage
from schemas.row import CANDIDATE_SCHEMA, SCORED_SCHEMA, SCORES, SCORES_TYPE
from schemas.strategies import Length, Strategy
from tasks.quality.fingerprints import FingerprintIndex
from tasks.quality.scores import Candidate, Scores, score


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a candidate was dropped.

    Args:
        stage: Where in its journey.
        reason: Which gate it failed.
        detail: The measurement and the bound, in words.
    """

    stage: Stage
    reason: Reason
    detail: str


def score_candidates(
    table: pa.Table,
    strategies: Sequence[Strategy],
    *,
    gates: RowGates,
    known: FingerprintIndex | None,
) -> pa.Table:
    """Score every candidate and note the first gate that it fails.

    What depends on other rows (duplicates) is not decided here. A dropped candidate has scores too.

    Args:
        table: Candidates, schema `CANDIDATE_SCHEMA`; any number of rows.
        strategies: The recipe's strategies; `strategy_index` counts in them.
        gates: The gates; None turns one off.
        known: Fingerprints of the model's training text; None when they are not known.

    Returns:
        The same rows in the same order, schema `SCORED_SCHEMA`; stage, reason and detail are null
        for the candidates that passed.
    """
    candidates = list(_read(table))
    scores = [score(candidate, known=known) for candidate in candidates]
    lengths = [strategies[place].length for place in table["strategy_index"].to_pylist()]
    verdicts = [
        judge(candidate, row_scores, gates=gates, length=length)
        for candidate, row_scores, length in zip(candidates, scores, lengths, strict=True)
    ]
    columns = table.select(CANDIDATE_SCHEMA.names).columns
    added = (_scores_column(scores), *_verdict_columns(verdicts))
    return pa.Table.from_arrays([*columns, *added], schema=SCORED_SCHEMA)


def judge(
    candidate: Candidate, scores: Scores, *, gates: RowGates, length: Length
) -> Verdict | None:
    """Return the first gate that a candidate fails, or None when it is good.

    They are tried in this order: generation error, output invalid, empty, unfinished, characters,
    words, length target, repetition, prompt echo, example echo, label leak, memorised. No gate
    turns off the first three.

    Args:
        candidate: The candidate.
        scores: Its scores.
        gates: The gates; None turns one off.
        length: The length that the candidate's strategy asked for.
    """
    if candidate.finish_reason == "error":
        detail = candidate.error or "the backend gave no reason"
        reason = Reason.USD_BUDGET if detail == UNSENT else Reason.GENERATION_ERROR
        return Verdict(Stage.GENERATE, reason, detail)
    if candidate.error is not None:
        return Verdict(Stage.GENERATE, Reason.OUTPUT_INVALID, candidate.error)
    failures = chain(
        _form_failures(candidate, scores, gates),
        _target_failures(scores, gates, length),
        _content_failures(candidate, scores, gates),
    )
    for reason, detail in failures:
        return Verdict(Stage.ROW_GATE, reason, detail)
    return None


def _form_failures(
    candidate: Candidate, scores: Scores, gates: RowGates
) -> Iterator[tuple[Reason, str]]:
    if not any(char.isprintable() and not char.isspace() for char in candidate.text):
        yield Reason.EMPTY, f"no visible character among {scores.num_chars}"
    if gates.finished and candidate.finish_reason == "length":
        yield Reason.UNFINISHED, "cut at the greatest length before the text ended"
    if gates.chars and (detail := _broken_bound(scores.num_chars, "character", gates.chars)):
        yield Reason.CHARS, detail
    if gates.words and (detail := _broken_bound(scores.num_words, "word", gates.words)):
        yield Reason.WORDS, detail


def _target_failures(
    scores: Scores, gates: RowGates, length: Length
) -> Iterator[tuple[Reason, str]]:
    if not gates.length_target or length.target is None:
        return
    match length.unit:
        case "tokens":
            # The end-of-text token is steered to them directly, within hard bounds.
            return
        case "words":
            count, measured = scores.num_words, _counted(scores.num_words, "word")
        case "chars":
            count, measured = scores.num_chars, _counted(scores.num_chars, "character")
        case _:
            assert_never(length.unit)
    # 0.29 of 100 is 29, and not the float just below.
    most = round(length.tolerance * length.target, 6)
    if abs(count - length.target) > most:
        yield Reason.LENGTH_TARGET, f"{measured}, {length.target} +- {most:g} wanted"


def _content_failures(
    candidate: Candidate, scores: Scores, gates: RowGates
) -> Iterator[tuple[Reason, str]]:
    if gates.repetition is not None and scores.repetition > gates.repetition:
        share = f"{scores.repetition:.3f} of the word 3-grams repeat an earlier one"
        yield Reason.REPETITION, f"{share}, at most {gates.repetition:g}"
    if gates.prompt_echo is not None and scores.prompt_overlap > gates.prompt_echo:
        share = f"{scores.prompt_overlap:.3f} of the word 3-grams stand in the prompt"
        yield Reason.PROMPT_ECHO, f"{share}, at most {gates.prompt_echo:g}"
    if gates.example_echo is not None and scores.example_similarity >= gates.example_echo:
        similarity = f"similarity {scores.example_similarity:.3f} to an example"
        yield Reason.EXAMPLE_ECHO, f"{similarity}, less than {gates.example_echo:g}"
    if gates.label_leak and scores.label_leak:
        yield Reason.LABEL_LEAK, f"the label's name {candidate.label!r} stands in the text"
    if gates.memorised and scores.memorised:
        yield Reason.MEMORISED, "a copy of an example or of the model's training text"


def _broken_bound(count: int, unit: str, bounds: tuple[int, int]) -> str:
    least, greatest = bounds
    measured = _counted(count, unit)
    if count < least:
        return f"{measured}, at least {least}"
    return f"{measured}, at most {greatest}" if count > greatest else ""


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _read(table: pa.Table) -> Iterator[Candidate]:
    names = ("text", "label", "prompt", "examples", "finish_reason", "error")
    columns = [table.column(name).to_pylist() for name in names]
    return (Candidate(*row) for row in zip(*columns, strict=True))


def _scores_column(scores: Sequence[Scores]) -> pa.Array:
    columns = [pa.array([getattr(row, name) for row in scores], pa.float32()) for name in SCORES]
    return pa.StructArray.from_arrays(columns, fields=list(SCORES_TYPE))


def _verdict_columns(verdicts: Iterable[Verdict | None]) -> list[pa.Array]:
    rows = [
        (verdict.stage.value, verdict.reason.value, verdict.detail) if verdict else (None,) * 3
        for verdict in verdicts
    ]
    return [pa.array([row[place] for row in rows], pa.string()) for place in range(3)]
