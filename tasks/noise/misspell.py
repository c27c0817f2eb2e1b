"""Common misspellings, of the built-in English list and of a user's file."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from schemas.errors import InputError
from schemas.noise_words import Misspell
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.lexicon import Lexicon, find_cores
from tasks.noise.splices import Splices
from tasks.noise.units import find_words

_BUILT_IN = Path(__file__).parent / "data" / "misspellings.tsv"
_MOST_BYTES = 64 * 2**20


def misspell(
    batch: TextBatch,
    dice: Dice,
    step: Misspell,
    *,
    lexicons: Mapping[str, Lexicon],
) -> Splices:
    """Replace words by one of their common misspellings, each with the text's rate.

    The rate is that of the words with a known misspelling; the others are left. The punctuation
    around a word stays, and its case is kept.

    Args:
        batch: The texts.
        dice: The draws.
        step: Which list.
        lexicons: The lists of users' files, by the path that a step gives.

    Raises:
        InputError: If the step names a file that is not among `lexicons`.

    References:
        Natural misspellings as noise: Belinkov and Bisk, ICLR 2018.
        https://arxiv.org/abs/1711.02173
    """
    lexicon = misspellings() if step.path is None else lexicons.get(step.path)
    if lexicon is None:
        raise InputError(
            f"the misspellings of {step.path!r} were not read",
            code="CS-R004",
            place="noise.steps",
            hint="open the steps with the lists that read_misspellings returns",
        )
    words = find_words(batch)
    cores = find_cores(batch, words, dice.hits(words))
    return lexicon.replace(batch, dice, units=words, cores=cores)


@cache
def misspellings() -> Lexicon:
    """Return the built-in English list."""
    return Lexicon.of(_entries(_BUILT_IN.read_text("utf-8").splitlines(), name=_BUILT_IN.name))


def read_misspellings(path: Path) -> Lexicon:
    """Read a list of misspellings and add the built-in one, which gives way to it.

    Args:
        path: Lines of `correct<TAB>wrong`, UTF-8, at most 64 MiB; a word may stand in several.
            Empty lines and those that begin with `#` are passed over.

    Raises:
        InputError: If the file cannot be read, or a line is not of that form.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the list of misspellings cannot be read: {error}",
            code="CS-R005",
            place=str(path),
            hint="give a file in UTF-8 with lines of correct<TAB>wrong",
        ) from None
    if len(data) > _MOST_BYTES:
        raise InputError(
            "the list of misspellings is larger than 64 MiB",
            code="CS-R005",
            place=str(path),
            hint="keep the words that occur in the texts",
        )
    own = _entries(lines, name=str(path))
    built_in = _entries(_BUILT_IN.read_text("utf-8").splitlines(), name=_BUILT_IN.name)
    return Lexicon.of({**built_in, **own})


def _entries(lines: Iterable[str], *, name: str) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        pair = [part.strip() for part in line.split("\t")]
        if len(pair) != 2 or not all(pair):
            raise InputError(
                f"line {number} of the list of misspellings is not correct<TAB>wrong",
                code="CS-R005",
                place=f"{name}:{number}",
                hint="write the right spelling, one tab, a wrong spelling",
            )
        wrongs = entries.setdefault(pair[0].lower(), [])
        if pair[1] not in wrongs:
            wrongs.append(pair[1])
    return entries
