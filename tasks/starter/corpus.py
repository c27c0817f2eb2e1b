"""What the starter model reads: three public intent sets and the texts made of them.

A training text is a list of segments; the model is taught some of them and only shown the others.
Every segment boundary is also a token boundary: a taught segment starts with a space, a shown one
starts the text or a new line.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import yaml

from tasks.starter.corruption import corrupt

Split = Literal["train", "heldout"]
Descriptions = Mapping[str, tuple[str, ...]]

SNIPS_INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
LABELS_FILE = Path(__file__).parents[2] / "prompts" / "labels.yaml"
QUESTION_WORDS = frozenset(
    (
        *("what", "which", "who", "whom", "whose", "when", "where", "why", "how"),
        *("can", "could", "do", "does", "did", "is", "are", "am", "was", "were", "will", "would"),
        *("should", "may", "might", "must", "have", "has", "had", "isn't", "aren't", "doesn't"),
        *("don't", "didn't", "won't", "can't", "what's", "where's", "when's", "who's", "how's"),
        *("whats", "wheres", "hows"),
    )
)
DESCRIBE_PROBABILITY = 0.20
DENOISE_PROBABILITY = 0.15
NAME_PROBABILITY = 0.10
ATTRIBUTE_PROBABILITY = 0.5
FEW_SHOT_PROBABILITY = 0.30
MAX_EXAMPLES = 3


class Utterance(NamedTuple):
    """One sentence: `label` is `dataset/name`, `text` has single spaces and its own casing."""

    label: str
    text: str


class Segment(NamedTuple):
    """A piece of a training text; the loss counts its tokens only where it is `taught`."""

    text: str
    taught: bool


@dataclass(frozen=True)
class Library:
    """Utterances, their labels' descriptions and the other utterances of each label."""

    utterances: tuple[Utterance, ...]
    descriptions: Descriptions
    by_label: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, utterances: Sequence[Utterance], descriptions: Descriptions) -> "Library":
        """Group `utterances` by label.

        Raises:
            KeyError: If a label has no description.
        """
        groups: dict[str, list[str]] = defaultdict(list)
        for label, text in utterances:
            groups[label].append(text)
        if missing := sorted(groups.keys() - descriptions.keys()):
            raise KeyError(f"labels without a description: {missing}")
        by_label = {label: tuple(texts) for label, texts in groups.items()}
        return cls(tuple(utterances), descriptions, by_label)


def data_files(data: Path, split: Split) -> list[Path]:
    """Name the files of one split below the folder `data`, which holds the three sets."""
    banking = data / "banking77" / ("train.csv" if split == "train" else "test.csv")
    pattern = "train_{}_full.json" if split == "train" else "validate_{}.json"
    snips = [data / "snips" / pattern.format(name) for name in SNIPS_INTENTS]
    return [banking, data / "clinc150" / "data_full.json", *snips]


def read_split(data: Path, split: Split) -> list[Utterance]:
    """Read the three sets, in a fixed order, without empty texts.

    Args:
        data: Folder with `banking77`, `clinc150` and `snips` as their authors publish them.
        split: `train`, or `heldout`: the test split of banking77, validation and test of clinc150,
            validation of snips. The out-of-scope rows of clinc150 belong to neither.

    Raises:
        FileNotFoundError: If a file is missing.
    """
    banking, clinc, *snips = data_files(data, split)
    pairs: list[tuple[str, str]] = []
    with banking.open(encoding="utf-8", newline="") as handle:
        pairs += [(f"banking77/{r['category']}", r["text"]) for r in csv.DictReader(handle)]
    content = json.loads(clinc.read_text(encoding="utf-8"))
    for part in ("train",) if split == "train" else ("val", "test"):
        pairs += [(f"clinc150/{label}", text) for text, label in content[part]]
    for name, path in zip(SNIPS_INTENTS, snips, strict=True):
        for item in json.loads(_decode(path.read_bytes()))[name]:
            pairs.append((f"snips/{name}", "".join(part["text"] for part in item["data"])))
    cleaned = ((label, " ".join(text.split())) for label, text in pairs)
    return [Utterance(label, text) for label, text in cleaned if text]


def _decode(content: bytes) -> str:
    # One published file of snips is latin-1, the others are UTF-8.
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def load_descriptions(path: Path = LABELS_FILE) -> dict[str, tuple[str, ...]]:
    """Read the plain-word descriptions: `dataset/name` -> the ways to say what the label means."""
    content: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {label: tuple(ways) for label, ways in content.items()}


def plain_name(label: str) -> str:
    """Spell a label as words: `snips/AddToPlaylist` -> `add to playlist`."""
    name = label.split("/", 1)[-1].rstrip("?")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()


def form_of(text: str) -> Literal["question", "request"]:
    """Call a text a question if it ends in `?` or starts with a question word or an auxiliary."""
    first = text.split()[0].lower().strip('.,!?"') if text.split() else ""
    return "question" if text.endswith("?") or first in QUESTION_WORDS else "request"


def length_of(text: str) -> Literal["short", "medium", "long"]:
    """Class a text by its words: short up to 7, medium 8 to 13, long from 14."""
    num_words = len(text.split())
    return "short" if num_words <= 7 else "medium" if num_words <= 13 else "long"


def sample_description(label: str, *, descriptions: Descriptions, rng: np.random.Generator) -> str:
    """Draw one way to say what `label` means; one time in ten the plain name of the label."""
    if rng.random() < NAME_PROBABILITY:
        return plain_name(label)
    ways = descriptions[label]
    return ways[rng.integers(len(ways))]


def prompt_head(description: str, attributes: Sequence[tuple[str, str]] = ()) -> str:
    """Render the lines before the examples and the message, without a final line break."""
    return "\n".join([f"Intent: {description}", *(f"{key}: {value}" for key, value in attributes)])


def utterance_prompt(description: str, *, attributes: Sequence[tuple[str, str]] = ()) -> str:
    """Render the prompt of a new utterance; its answer starts with a space."""
    return prompt_head(description, attributes) + "\nMessage:"


def denoise_prompt(corrupted: str) -> str:
    """Render the prompt that asks for the clean text of a corrupted one."""
    return f"Noisy: {corrupted}\nMessage:"


def describe_prompt(text: str) -> str:
    """Render the prompt that asks what a text is about."""
    return f"Message: {text}\nIntent:"


def build_segments(index: int, *, library: Library, rng: np.random.Generator) -> list[Segment]:
    """Make one training text of the utterance number `index`, in a format drawn at random.

    Args:
        index: Place in `library.utterances`.
        library: Source of the utterance, of the examples beside it and of the descriptions.
        rng: Draws the format, the description, the attributes, the examples and the corruption.

    Returns:
        Segments whose texts, joined and followed by the end-of-text token, are the training text.
    """
    label, text = library.utterances[index]
    draw = rng.random()
    if draw < DENOISE_PROBABILITY:
        return [Segment(denoise_prompt(corrupt(text, rng=rng)), False), Segment(f" {text}", True)]
    description = sample_description(label, descriptions=library.descriptions, rng=rng)
    if draw < DENOISE_PROBABILITY + DESCRIBE_PROBABILITY:
        return [
            Segment("Message:", False),
            Segment(f" {text}", True),
            Segment("\nIntent:", False),
            Segment(f" {description}", True),
        ]
    return _utterance_segments(index, description=description, library=library, rng=rng)


def _utterance_segments(
    index: int, *, description: str, library: Library, rng: np.random.Generator
) -> list[Segment]:
    label, text = library.utterances[index]
    attributes: list[tuple[str, str]] = [("Form", form_of(text)), ("Length", length_of(text))]
    order = rng.permutation(len(attributes))
    kept = [attributes[place] for place in order if rng.random() < ATTRIBUTE_PROBABILITY]
    segments = [Segment(prompt_head(description, kept), False)]
    others = library.by_label[label]
    if rng.random() < FEW_SHOT_PROBABILITY:
        chosen = rng.integers(len(others), size=rng.integers(1, MAX_EXAMPLES + 1))
        for example in (others[place] for place in chosen):
            if example != text:
                segments += [Segment("\nExample:", False), Segment(f" {example}", True)]
    return [*segments, Segment("\nMessage:", False), Segment(f" {text}", True)]
