"""Plain words for what the pipeline calls by name."""

from typing import assert_never

from schemas.gates import Reason
from schemas.manifest import AuditSummary, GateResult, Manifest, RowCounts
from tasks.report.formatting import decimal, integer


def reason_meaning(reason: str) -> str:
    """Say what a rejection reason means; "" for one that this version does not know."""
    try:
        return _meaning(Reason(reason))
    except ValueError:
        return ""


def _meaning(reason: Reason) -> str:  # noqa: C901 - one line a case
    match reason:
        case Reason.GENERATION_ERROR:
            return "The model gave no usable reply."
        case Reason.OUTPUT_INVALID:
            return "The reply does not have the form that the recipe asks for."
        case Reason.USD_BUDGET:
            return "Not sent: the money budget was spent."
        case Reason.EMPTY:
            return "Nothing was left of the reply after cleaning."
        case Reason.UNFINISHED:
            return "The text was cut off at the greatest length."
        case Reason.CHARS:
            return "Too few or too many characters."
        case Reason.WORDS:
            return "Too few or too many words."
        case Reason.LENGTH_TARGET:
            return "The text is too far from the length that its strategy aims at."
        case Reason.REPETITION:
            return "The text repeats itself."
        case Reason.PROMPT_ECHO:
            return "The text repeats the prompt."
        case Reason.EXAMPLE_ECHO:
            return "The text is too close to an example in its prompt."
        case Reason.LABEL_LEAK:
            return "The text names its own label."
        case Reason.MEMORISED:
            return "A verbatim copy of an example or of a text the model was trained on."
        case Reason.DUPLICATE:
            return "A copy of a row accepted earlier."
        case Reason.NEAR_DUPLICATE:
            return "Too similar to a row accepted earlier."
    assert_never(reason)


def bound_in_words(bound: str) -> str:
    """Turn `>= 0.9` into `at least 0.9`; other bounds stay as they are."""
    for sign, words in (
        (">=", "at least"),
        ("<=", "at most"),
        (">", "more than"),
        ("<", "less than"),
        ("=", "exactly"),
    ):
        if bound.startswith(sign):
            return f"{words} {bound.removeprefix(sign).strip()}"
    return bound


def grounds(manifest: Manifest) -> tuple[str, ...]:
    """Say in sentences why the manifest's verdict is what it is, what went wrong first."""
    failed = [gate for gate in manifest.gates if not gate.passed]
    gates = [_gates_sentence(manifest.gates, failed), *map(_failure, failed)]
    rows = [_rows_sentence(manifest.rows, allowed=manifest.verdict == "pass")]
    sentences = [*rows, *gates] if manifest.rows.shortfall else [*gates, *rows]
    if manifest.audit is None:
        if manifest.verdict == "fail" and not failed and not manifest.rows.shortfall:
            sentences.append("A check of the suite failed; expectations/ holds its result.")
        return tuple(sentences)
    blocks = manifest.verdict == "fail" and manifest.audit.verdict == "block"
    audit = _audit_sentences(manifest.audit)
    return (*audit, *sentences) if blocks else (*sentences, *audit)


def _audit_sentences(audit: AuditSummary) -> tuple[str, ...]:
    match audit.verdict:
        case "ship":
            return ("The audit found nothing that must be mended.",)
        case "fix":
            return ("The audit found what should be mended before training:", *audit.reasons)
        case "block":
            return ("The audit advises against training on these rows:", *audit.reasons)
    assert_never(audit.verdict)


def _gates_sentence(gates: tuple[GateResult, ...], failed: list[GateResult]) -> str:
    if not gates:
        return "No dataset gate was set."
    noun = "dataset gate" if len(gates) == 1 else "dataset gates"
    if not failed:
        return f"{len(gates)} of {len(gates)} {noun} passed."
    return f"{len(failed)} of {len(gates)} {noun} failed."


def _failure(gate: GateResult) -> str:
    bound = bound_in_words(gate.bound)
    measured = "failed" if gate.observed is None else f"is {decimal(gate.observed)}"
    return f"{gate.name} {measured}; it has to be {bound} ({gate.meaning.rstrip('.')})."


def _rows_sentence(rows: RowCounts, *, allowed: bool) -> str:
    if not rows.shortfall:
        if rows.requested == 1:
            return "The one row asked for was accepted."
        return f"All {integer(rows.requested)} rows asked for were accepted."
    words = (
        f"{integer(rows.shortfall)} of {integer(rows.requested)} rows asked for are missing: "
        "the budget was spent before they were accepted"
    )
    return f"{words}; the recipe allows that." if allowed else f"{words}."
