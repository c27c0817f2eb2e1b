"""Plain words for an evaluation, for a reader who never saw one."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.audit import Estimate
from schemas.evaluation import Difference, Evaluation, StudentName, Worth
from tasks.report.formatting import integer


@dataclass(frozen=True, slots=True)
class Words:
    """How a page names a kind of student.

    Args:
        name: What it was trained on.
        short: The same as the end of "this one minus ...".
        meaning: What it was trained and tested on, and what that tells.
    """

    name: str
    short: str
    meaning: str


STUDENTS: Mapping[StudentName, Words] = {
    "tstr": Words("Synthetic", "synthetic", "Tested on the real test rows (TSTR)."),
    "trtr": Words("Real", "real", "Tested on the real test rows."),
    "both": Words("Both together", "both", "Tested on the real test rows."),
    "majority": Words("Nothing", "nothing", "Always says the test set's commonest label."),
    "trts": Words(
        "Real, tested on synthetic",
        "real, on synthetic",
        "Tested on the synthetic rows (TRTS): do their labels mean what they mean in real rows?",
    ),
}
ROLES: Mapping[str, str] = {
    "synthetic": "The synthetic set",
    "train": "Real rows to train on",
    "test": "Real rows to test on",
}
_MAYBE_CHANCE = 0.05


def tone(found: Evaluation) -> str:
    """Return the class of the headline.

    `fail`: the bound that was asked for does not hold, or the set teaches nothing; `fix`: real rows
    teach more; `ship`: anything else.
    """
    if found.passed is False or not _beats_chance(found):
        return "fail"
    beside_real = found.difference("tstr", "trtr")
    return "fix" if beside_real and _sign(beside_real.macro_f1) < 0 else "ship"


def headline(found: Evaluation) -> str:
    """Say in one sentence whether the synthetic set is worth training on."""
    if found.passed is False:
        return "No: it teaches less than was asked for"
    if not _beats_chance(found):
        return "No: a student of the synthetic set does no better than chance"
    beside_real = found.difference("tstr", "trtr")
    if beside_real is None:
        return "It teaches: a student of the synthetic set does better than chance"
    match _sign(beside_real.macro_f1):
        case 1:
            return "Yes: a student of the synthetic set does better than one of the real set"
        case 0:
            return "Yes: no difference was found to a student of the real training set"
        case _:
            return "It teaches, but less than the real training set does"


def reasons(found: Evaluation) -> list[str]:
    """Say the figures behind the headline, the most telling first."""
    said = [bound(found), reached(found), unlike(found), worth(found.worth), together(found)]
    return [sentence for sentence in said if sentence]


def reached(found: Evaluation) -> str:
    """Say what the synthetic student reached, beside the real one and chance."""
    own, real = found.score("tstr"), found.score("trtr")
    if own is None:
        return ""
    f1 = own.macro_f1
    said = f"Macro-F1 {_figure(f1)} on {integer(f1.n)} real test rows"
    chance = f"chance reaches {f1.value - own.above_chance.value:.3f}"
    if real is None:
        return f"{said}; {chance}."
    part = f", {100 * found.relative:.0f} % of" if found.relative is not None else " against"
    return f"{said}{part} the {real.macro_f1.value:.3f} of real rows; {chance}."


def unlike(found: Evaluation) -> str:
    """Say how unlike the real student it may still be, where no difference was found."""
    apart = found.difference("tstr", "trtr")
    if apart is None or _sign(apart.macro_f1) != 0:
        return ""
    return f"Against the real student: {_apart(apart)}."


def worth(found: Worth | None) -> str:
    """Say how many real rows the synthetic set is worth; empty where that is not known."""
    if found is None:
        return ""
    match found.beyond:
        case "fewer":
            said = f"It is worth fewer than {_rows(found.smallest)}, the least that were tried"
        case "more":
            said = f"It is worth more than all {_rows(found.largest)} there are"
        case None:
            said = f"It is worth about {_rows(found.rows or 0)}"
    return f"{said} ({worth_interval(found)})."


def worth_figure(found: Worth) -> str:
    """Write the number of real rows: `75`, `< 27`, `> 6,919`."""
    match found.beyond:
        case "fewer":
            return f"< {integer(found.smallest)}"
        case "more":
            return f"> {integer(found.largest)}"
        case None:
            return integer(found.rows or 0)


def worth_interval(found: Worth) -> str:
    """Write the interval of the number of real rows."""
    low, high = integer(found.low), found.high
    if high is None:
        return f"{low} or more" if found.low else "any number"
    return f"{low} to {integer(high)}" if found.low else f"{integer(high)} or fewer"


def together(found: Evaluation) -> str:
    """Say what adding the synthetic set to the real one does; empty where that was not tried."""
    if (apart := found.difference("both", "trtr")) is None:
        return ""
    match _sign(apart.macro_f1):
        case 1:
            return f"Added to the real training set it helps: {_apart(apart)}."
        case 0:
            return f"Added to the real training set it makes no clear difference: {_apart(apart)}."
        case _:
            return f"Added to the real training set it harms: {_apart(apart)}."


def bound(found: Evaluation) -> str:
    """Say what became of the bound; empty where none was asked for."""
    if found.passed is None:
        return ""
    f1 = {score.name: score.macro_f1.value for score in found.scores}
    if "trtr" in f1:
        wanted = f"at least {found.at_least:g} of the real student's macro-F1"
        seen = f"{f1['tstr']:.3f} of {f1['trtr']:.3f}"
    else:
        wanted, seen = f"a macro-F1 of at least {found.at_least:g}", f"{f1['tstr']:.3f}"
    return f"Asked for: {wanted}; it {'holds' if found.passed else 'does not hold'} ({seen})."


def chance(p_value: float) -> str:
    """Write a p-value."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def signed(value: float | None) -> str:
    """Write a difference of scores."""
    return f"{value or 0:+.3f}".replace("-", "\N{MINUS SIGN}")


def points(value: float | None) -> str:
    """Write a difference of shares in percentage points."""
    return f"{100 * (value or 0):+.1f}".replace("-", "\N{MINUS SIGN}")


def may_be_chance(found: Difference) -> bool:
    """Tell whether chance alone explains what rows two students got right."""
    return found.mcnemar >= _MAYBE_CHANCE


def _beats_chance(found: Evaluation) -> bool:
    own = found.score("tstr")
    return own is None or _sign(own.above_chance) > 0


def _sign(apart: Estimate) -> int:
    """Return which side of 0 the whole interval lies on; 0 when it holds 0."""
    low = apart.value if apart.low is None else apart.low
    high = apart.value if apart.high is None else apart.high
    return 1 if low > 0 else -1 if high < 0 else 0


def _figure(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _apart(apart: Difference) -> str:
    f1 = apart.macro_f1
    ends = f" ({signed(f1.low)} to {signed(f1.high)})" if f1.low is not None else ""
    return f"macro-F1 {signed(f1.value)}{ends}"


def _rows(count: int) -> str:
    return f"{integer(count)} real {'row' if count == 1 else 'rows'}"
