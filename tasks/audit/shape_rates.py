"""The faults that a row has or has not: what each is called, and what to do about it."""

from dataclasses import dataclass

from tasks.quality.encoding import Fault
from tasks.quality.leftover_rules import Family

_FTFY = "Speer, ftfy, 2019. https://doi.org/10.5281/zenodo.2591652"


@dataclass(frozen=True, slots=True)
class Rate:
    """A property of rows that is a fault, and what is said about it.

    Args:
        name: Of the metric and of its finding.
        title: A few plain words.
        definition: Which rows count.
        found: What follows the number of rows in a sentence.
        action: What to do about them.
        subject: What the engine calls it.
    """

    name: str
    title: str
    definition: str
    found: str
    action: str
    subject: Fault | Family | None = None
    source: str = ""


RATES = (
    Rate(
        "null_rate",
        "Rows without a text",
        "Share of all rows whose text is null.",
        "have no text (null)",
        "Find out where these rows lost their text, or drop them.",
    ),
    Rate(
        "empty_rate",
        "Rows with an empty text",
        "Share of all rows whose text is not null and holds no visible character.",
        "have a text without any visible character",
        "Drop these rows, or generate them again.",
    ),
    Rate(
        "null_label_rate",
        "Rows without a label",
        "Share of all rows whose label is null.",
        "have no label (null)",
        "Label these rows or drop them: most trainers stop at them or learn a class of their own.",
    ),
    Rate(
        "mojibake_rate",
        "Garbled letters",
        "Share of all rows with a sequence of characters that text read in the wrong encoding has "
        "and other text next to never (ftfy's heuristic `is_bad`).",
        "hold letters that were read in the wrong encoding",
        "Read the source again as UTF-8, or repair the texts (`ftfy.fix_text`).",
        subject=Fault.MOJIBAKE,
        source=_FTFY,
    ),
    Rate(
        "lost_character_rate",
        "Characters lost in decoding",
        "Share of all rows with U+FFFD, the sign for an undecodable byte, or half a surrogate "
        "pair.",
        "hold a character that was lost in decoding",
        "The letters are gone from these rows: read the source again as it was encoded, or drop "
        "them.",
        subject=Fault.LOST_CHARACTER,
    ),
    Rate(
        "control_character_rate",
        "Control characters",
        "Share of all rows with a C0 or C1 control (tab and line ends apart), DEL or a "
        "noncharacter.",
        "hold control characters",
        "Remove these characters; they often mark a text cut from a terminal or a broken file.",
        subject=Fault.CONTROL_CHARACTER,
    ),
    Rate(
        "invisible_character_rate",
        "Invisible characters",
        "Share of all rows with zero-width, tag or filler characters, joiners beside Latin text, "
        "overrides of the writing direction, or direction marks in text that runs left to right.",
        "hold characters that a reader cannot see",
        "Remove them: they split words for a tokenizer and can hide text from a reviewer.",
        subject=Fault.INVISIBLE_CHARACTER,
    ),
    Rate(
        "html_entity_rate",
        "HTML entities",
        "Share of all rows with a character reference of HTML that ends in a semicolon: &amp; "
        "&#39; &#x27;.",
        "hold HTML entities in place of characters",
        "Unescape the texts once (`html.unescape` in Python) and audit again.",
        subject=Fault.HTML_ENTITY,
        source="HTML Standard, 13.5. https://html.spec.whatwg.org/multipage/named-characters.html",
    ),
    Rate(
        "unusual_space_rate",
        "Unusual white space",
        "Share of all rows with white space other than space, tab, line ends and the ideographic "
        "space.",
        "hold no-break or other unusual spaces",
        "Replace them by plain spaces unless the language's typography wants them.",
        subject=Fault.UNUSUAL_SPACE,
    ),
    Rate(
        "template_rate",
        "Leftovers of templates",
        "Share of all rows that match a rule of the family `template`: fields that nobody filled, "
        "special tokens, labels of a prompt's parts.",
        "hold parts of a prompt or of a model's own format",
        "Fix the template or the stop strings and generate these rows again. Texts that are meant "
        "to hold fields, JSON or speakers' names are well as they are.",
        subject=Family.TEMPLATE,
    ),
    Rate(
        "markup_rate",
        "Leftover markup",
        "Share of all rows that match a rule of the family `markup`: Markdown, HTML tags, code "
        "fences, quotation marks around the whole.",
        "hold markup around the text",
        "Strip the markup, or ask the model for bare text.",
        subject=Family.MARKUP,
    ),
    Rate(
        "list_number_rate",
        "Leftover list numbers",
        "Share of all rows that begin with the number or the bullet of a list.",
        "begin with the number or bullet of a list",
        "Strip the number where the answer of a model is split into rows.",
        subject=Family.NUMBERING,
    ),
    Rate(
        "meta_rate",
        "Refusals and meta talk",
        "Share of all rows that match a rule of the family `meta`: the model refuses, introduces "
        "its answer, offers help or speaks of itself. The rules are made for English.",
        "are a model's talk about its task, not an answer to it",
        "Generate these rows again: a student would learn to refuse and to chat.",
        subject=Family.META,
    ),
)
