"""Few-shot examples: a JSONL file read with its line numbers, and the draw of each row."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError
from schemas.recipe_errors import shown, suggest
from schemas.recipe_file import EXAMPLES, LoadedRecipe
from tasks.planning.plan import Plan
from tasks.planning.streams import Stream, row_keys, uniforms

MAX_FILE_BYTES = 64 << 20
MAX_TEXT_CHARS = 16_384


class Example(NamedTuple):
    """One text with its label."""

    text: str
    label: str


@dataclass(frozen=True)
class ExampleSet:
    """Examples to draw from, each text once in a pool.

    Args:
        pools: The examples that each label draws from, in the order of the recipe's labels; all
            labels share one pool when examples are mixed.
        per_row: Number of examples in each prompt.
        seed: The recipe's seed.
        sha256: Hash of the file.
    """

    pools: tuple[tuple[Example, ...], ...]
    per_row: int
    seed: int
    sha256: str

    def draw(
        self,
        rows: NDArray[np.int64],
        *,
        attempts: NDArray[np.int32],
        label_index: NDArray[np.int32],
    ) -> list[tuple[Example, ...]]:
        """Draw `per_row` different texts for each row and attempt, each order equally likely.

        Args:
            rows: Row numbers, shape `(N,)`.
            attempts: Attempt numbers, shape `(N,)`.
            label_index: Place of each row's label in the recipe, shape `(N,)`.

        Returns:
            N tuples of `per_row` examples.
        """
        keys = row_keys(self.seed, rows, attempts, Stream.EXAMPLES)
        numbers = uniforms(keys[:, None], np.arange(self.per_row))
        return [
            tuple(_shuffled_start(self.pools[place], draws))
            for place, draws in zip(label_index.tolist(), numbers.tolist(), strict=True)
        ]

    def longest(self, label_index: int) -> tuple[Example, ...]:
        """Return the `per_row` longest examples that a label draws from."""
        pool = sorted(self.pools[label_index], key=lambda example: -len(example.text))
        return tuple(pool[: self.per_row])

    def texts(self) -> list[str]:
        """List every text once."""
        return list(dict.fromkeys(example.text for pool in self.pools for example in pool))


def _shuffled_start(pool: Sequence[Example], draws: Sequence[float]) -> Iterator[Example]:
    """Take the first steps of a Fisher-Yates shuffle, keeping only the places that moved."""
    moved: dict[int, int] = {}
    for step, draw in enumerate(draws):
        chosen = step + int(draw * (len(pool) - step))
        yield pool[moved.get(chosen, chosen)]
        moved[chosen] = moved.get(step, step)


def load_examples(loaded: LoadedRecipe, *, plan: Plan) -> ExampleSet | None:
    """Read the recipe's examples file; None when the recipe names none.

    A line is `{"text": ..., "label": ...}`; other keys and blank lines are passed over. Texts that
    differ in case or white space only count as one within a pool.

    Raises:
        InputError: `CS-P005` if the file cannot be read, `CS-P006` for a wrong line, `CS-P007` if a
            label with rows has fewer examples than a prompt needs, `CS-R008` for a path outside
            the folder.
    """
    config, path = loaded.recipe.prompt.examples, loaded.examples_path()
    if config is None or path is None:
        return None
    content = _read(path, place=loaded.place(EXAMPLES))
    labels = loaded.recipe.labels
    examples = list(_parse(content, labels=labels, name=str(path)))
    pools = _pools(examples, labels=list(labels), draw=config.draw)
    used = {cell.label for cell in plan.quotas() if cell.rows}
    for label, pool in zip(labels, pools, strict=True):
        if label in used and len(pool) < config.per_row:
            of_label = f"the label {shown(label)} has" if config.draw == "own" else "there are"
            raise InputError(
                f"{of_label} {len(pool)} different texts to draw from, but prompt.examples.per_row"
                f" is {config.per_row}",
                code="CS-P007",
                place=loaded.place(EXAMPLES),
                hint=f"add examples to {path.name}, or lower per_row",
            )
    digest = hashlib.sha256(content).hexdigest()
    return ExampleSet(pools, config.per_row, loaded.recipe.seed, digest)


def _pools(
    examples: Sequence[Example], *, labels: Sequence[str], draw: Literal["own", "mixed"]
) -> tuple[tuple[Example, ...], ...]:
    match draw:
        case "own":
            by_label: dict[str, dict[str, Example]] = {label: {} for label in labels}
            for example in examples:
                by_label[example.label].setdefault(_same(example.text), example)
            return tuple(tuple(pool.values()) for pool in by_label.values())
        case "mixed":
            pool: dict[str, Example] = {}
            for example in examples:
                pool.setdefault(_same(example.text), example)
            return (tuple(pool.values()),) * len(labels)
        case _:
            assert_never(draw)


def _same(text: str) -> str:
    return " ".join(text.casefold().split())


def _read(path: Path, *, place: str) -> bytes:
    def unreadable(what: str, hint: str) -> InputError:
        message = f"the examples file {shown(path.name)} {what}"
        return InputError(message, code="CS-P005", place=place, hint=hint)

    if not path.is_file():
        raise unreadable("does not exist", "put the file beside the recipe, or correct the path")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise unreadable(f"cannot be read: {error.strerror}", "check its permissions") from None
    if len(content) > MAX_FILE_BYTES:
        raise unreadable("is larger than 64 MiB", "keep a sample of it")
    return content


def _parse(content: bytes, *, labels: Mapping[str, Any], name: str) -> Iterator[Example]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            try:
                yield _example(line, labels)
            except _WrongLine as wrong:
                message, hint = wrong.args
                raise InputError(
                    message, code="CS-P006", place=f"{name}:{number}", hint=hint
                ) from None


class _WrongLine(Exception):
    """What is wrong with a line, and the remedy."""


_PATTERN = 'write {"text": "...", "label": "..."} on each line'


def _example(line: bytes, labels: Mapping[str, Any]) -> Example:
    item = _item(line)
    text, label = item["text"].strip(), item["label"]
    if label not in labels:
        near = suggest(label, labels)
        raise _WrongLine(
            f"the recipe has no label {shown(label)}", f"{near}labels: {_some(list(labels))}"
        )
    if not text:
        raise _WrongLine("the text is empty", "write a text, or remove the line")
    if len(text) > MAX_TEXT_CHARS:
        raise _WrongLine(f"the text is longer than {MAX_TEXT_CHARS:,} characters", "shorten it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _WrongLine("the text holds half of a surrogate pair", "write the character itself")
    return Example(text, label)


def _item(line: bytes) -> dict[str, str]:
    """Read one line as a mapping that holds texts for every field of an example."""
    try:
        item = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise _WrongLine("the line is not UTF-8", "save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _WrongLine(f"the line is not JSON: {error}", _PATTERN) from None
    if not isinstance(item, dict):
        raise _WrongLine("the line is not a JSON object", _PATTERN)
    for key in Example._fields:
        if key not in item:
            near = suggest(key, map(str, item))
            raise _WrongLine(f"{key} is missing", near + _PATTERN)
        if not isinstance(item[key], str):
            raise _WrongLine(f"{key} must be text, not {shown(item[key])}", _PATTERN)
    return item


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
