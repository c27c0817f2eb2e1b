"""Plain words for the parts of an audit, for a reader who never saw one."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.audit import Group


@dataclass(frozen=True, slots=True)
class Room:
    """How a page introduces one room of an audit.

    Args:
        name: A word or two, for lists and navigation.
        question: What the room answers.
        lead: One sentence on why that matters to who trains on the data.
    """

    name: str
    question: str
    lead: str


@dataclass(frozen=True, slots=True)
class Badge:
    """A judgement in a word.

    Args:
        word: The word.
        mark: A sign for those who scan the page; the word says the same.
        tone: Class that gives the colour: `good`, `fair`, `bad` or `none`.
    """

    word: str
    mark: str
    tone: str


ROOMS: Mapping[Group, Room] = {
    Group.SHAPE: Room(
        "Shape",
        "Is every row a readable text of the kind asked for?",
        "Empty rows, garbled letters, leftovers of a prompt and lopsided shares of labels are "
        "learned like everything else.",
    ),
    Group.FLUENCY: Room(
        "Fluency",
        "Do the texts read like natural language?",
        "Text that a language model finds very surprising is often broken; text that it finds "
        "hardly surprising often repeats itself.",
    ),
    Group.DIVERSITY: Room(
        "Diversity",
        "Do the texts differ from each other?",
        "Many rows that say the same in the same words teach no more than a few of them.",
    ),
    Group.DUPLICATES: Room(
        "Duplicates",
        "Do rows repeat each other?",
        "A row that comes twice counts twice in training, and makes test scores look better than "
        "they are when its copy is in the test set.",
    ),
    Group.LABELS: Room(
        "Labels",
        "Do the labels fit the texts?",
        "A wrong label teaches a mistake; a label that a single word gives away teaches the word "
        "and not the task.",
    ),
    Group.FIDELITY: Room(
        "Fidelity",
        "Do the texts resemble the real ones?",
        "A model trained here meets real texts later: the further apart the two are, the less of "
        "what it learned applies. It takes a reference to tell.",
    ),
    Group.DRIFT: Room(
        "Drift",
        "How far has it moved from the version before?",
        "What was trained or tuned on the last version meets this one next: a change that nobody "
        "meant shows here.",
    ),
    Group.PRIVACY: Room(
        "Privacy",
        "Are texts copied from elsewhere, or personal data given away?",
        "Copies of training or example texts can disclose what was private, and are not new data.",
    ),
    Group.CONTAMINATION: Room(
        "Contamination",
        "Do rows overlap with texts meant for testing?",
        "A model that has trained on its test scores well for the wrong reason.",
    ),
    Group.SAFETY: Room(
        "Safety",
        "Is there anything harmful in the texts?",
        "Abusive language, and text that tries to give orders to a model that reads it.",
    ),
    Group.BIAS: Room(
        "Bias",
        "Are groups of people treated evenly?",
        "What the data say about women and men, ages, religions and origins, a model says too.",
    ),
}

VERDICTS: Mapping[str, Badge] = {
    "ship": Badge("Ship: nothing found stands against training on this", "✓", "ship"),
    "fix": Badge("Fix first: train on this after mending what follows", "!", "fix"),
    "block": Badge("Block: do not train on this as it is", "✕", "fail"),
}
BANDS: Mapping[str, Badge] = {
    "good": Badge("Good", "✓", "good"),
    "fair": Badge("Fair", "!", "fair"),
    "poor": Badge("Poor", "✕", "bad"),
    "unmeasured": Badge("Not measured", "\N{EN DASH}", "none"),
}
OUTCOMES: Mapping[str, Badge] = {
    "fail": Badge("fails", "✕", "bad"),
    "warn": Badge("warns", "!", "fair"),
    "unmeasured": Badge("not judged", "\N{EN DASH}", "none"),
    "pass": Badge("passes", "✓", "good"),
}
"""Gates, in the order in which a page lists them."""
SEVERITIES: Mapping[str, Badge] = {
    "block": Badge("Blocks", "✕", "bad"),
    "fix": Badge("To mend", "!", "fair"),
    "note": Badge("To know", "i", "none"),
}
"""Findings, in the order in which a page lists them."""
SEVERITY_HEADINGS: Mapping[str, str] = {
    "block": "Do not train before this is settled",
    "fix": "Mend this first",
    "note": "Good to know",
}
ROLES: Mapping[str, str] = {
    "audited": "The audited dataset",
    "reference": "Reference: real data to compare with",
    "holdout": "Holdout: texts meant for testing",
    "examples": "Examples that the generator was shown",
    "previous": "The version before",
}
BETTER: Mapping[str, str] = {
    "lower": "Lower is better",
    "higher": "Higher is better",
    "neither": "Neither high nor low is better",
}
