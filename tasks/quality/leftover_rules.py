"""The rules by which leftovers are found: what each looks for, in plain words and as a pattern."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

Span = tuple[int, int]

_ANYCASE = re.IGNORECASE | re.ASCII
_CANNOT = (
    r"(?:can(?:no|')t|can not|could(?: no|n')t|won't|will not|"
    r"(?:am|'m) (?:unable|not able|afraid i can(?:no|')t)(?: to)?)"
)
_THING = (
    r"(?:examples?|texts?|sentences?|reviews?|messages?|queries|query|questions?|utterances?|"
    r"paraphrases?|versions?|variations?|rewrit\w{1,5}|responses?|samples?|lists?|requests?|"
    r"drafts?|output|data|revised|possible|generated|synthetic)"
)
_LABELS = (
    r"(?:labels?|categor(?:y|ies)|class(?:es)?|sentiment|intent|text|sentence|review|utterance|"
    r"inputs?|outputs?|instructions?|prompt|question|answer|response|completion|examples?|"
    r"user|human|assistant|system|customer message|explanation|reasoning)"
)


class Family(StrEnum):
    """What a leftover tells about its origin."""

    TEMPLATE = "template"
    """Parts of a prompt or of a model's own format: fields that nobody filled, special tokens."""
    MARKUP = "markup"
    """Formatting of a chat or a web page around what should be bare text."""
    NUMBERING = "numbering"
    """The number or bullet of a list from which the text was cut."""
    META = "meta"
    """The model speaks as a model: it refuses, introduces its answer or offers more help."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of leftover.

    Args:
        name: A stable name.
        family: Its family.
        meaning: What it finds, in plain words.
        pattern: What it looks for, in a text whose apostrophes are straight; takes time linear in
            the text: what repeats is bounded, or anchored once.
        needs: At least one of these stands in the lower-case text wherever the pattern matches;
            none when nothing does.
        at_start: Looks at the beginning of the text only.
    """

    name: str
    family: Family
    meaning: str
    pattern: re.Pattern[str]
    needs: tuple[str, ...]
    at_start: bool = False

    def spans(self, text: str) -> list[Span]:
        """Return where the rule matches: code points, in order, not overlapping."""
        return [found.span() for found in self._matches(text)]

    def finds(self, text: str) -> bool:
        """Tell whether the rule matches anywhere."""
        return next(self._matches(text), None) is not None

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        straight = straighten(text)
        if not self.at_start:
            return self.pattern.finditer(straight)
        found = self.pattern.match(straight)
        return iter((found,) if found else ())


def straighten(text: str) -> str:
    """Return a text of the same length with straight apostrophes."""
    return text.replace("\u2019", "'")


RULES = (
    Rule(
        "template_tag",
        Family.TEMPLATE,
        "a field or tag of a template: {{ name }}, {% if %}",
        re.compile(r"\{\{[^{}\n]{0,200}\}\}|\{%[^%\n]{0,200}%\}"),
        ("{{", "{%"),
    ),
    Rule(
        "brace_field",
        Family.TEMPLATE,
        "a field in braces: {name}",
        re.compile(r"(?<![A-Za-z{$\\])\{[A-Za-z_][A-Za-z0-9_.]{0,60}\}(?!\})"),
        ("{",),
    ),
    Rule(
        "bracket_field",
        Family.TEMPLATE,
        "a field in brackets that somebody should have filled: [INSERT NAME], <your city>, [DATE]",
        re.compile(
            r"[\[<](?i:insert|your|enter|fill in|placeholder)\b[^\[\]<>\n]{0,80}[\]>]"
            r"|\[[A-Z]{3,20}(?:[ _][A-Z]{2,20}){0,4}\]",
            re.ASCII,
        ),
        ("[", "<"),
    ),
    Rule(
        "special_token",
        Family.TEMPLATE,
        "a special token of a model: <|im_end|>, </s>, [INST], <think>, <0x0A>",
        re.compile(
            r"<\|[a-z0-9_]{1,60}\|>|</?s>|<</?sys>>|\[/?inst\]|<(?:start|end)_of_turn>"
            r"|<(?:pad|unk|bos|eos|mask)>|\[(?:cls|sep|mask|pad|unk)\]|<extra_id_\d{1,3}>"
            r"|</?think(?:ing)?>|<0x[0-9a-f]{2}>",
            _ANYCASE,
        ),
        ("<", "["),
    ),
    Rule(
        "field_label",
        Family.TEMPLATE,
        "a line that begins with the name of a prompt's part: Label:, Text:, Assistant:",
        re.compile(
            rf"^[ \t>#*]{{0,8}}{_LABELS}(?: ?#?\d{{1,3}})?\*{{0,2}} ?:", _ANYCASE | re.MULTILINE
        ),
        (":",),
    ),
    Rule(
        "json_wrapper",
        Family.TEMPLATE,
        'a text that is a JSON object or the beginning of one: {"text": ...',
        re.compile(r"\s{0,20}\[?\s{0,20}\{\s{0,20}\"[^\"\n]{1,60}\"\s{0,20}:", re.ASCII),
        ("{",),
        at_start=True,
    ),
    Rule(
        "code_fence",
        Family.MARKUP,
        "a fence of code: three backticks",
        re.compile(r"```"),
        ("```",),
    ),
    Rule(
        "markdown",
        Family.MARKUP,
        "Markdown: **bold**, a heading, a link",
        re.compile(
            r"\*\*[^*\s][^*\n]{0,200}\*\*|^#{1,6} \S|\[[^\[\]\n]{1,100}\]\(https?:", re.MULTILINE
        ),
        ("**", "# ", "](http"),
    ),
    Rule(
        "html_tag",
        Family.MARKUP,
        "a tag of HTML: <br>, </p>",
        re.compile(
            r"</?(?:br|p|div|span|b|i|u|em|strong|a|ul|ol|li|h[1-6]|table|tr|td|img|script)"
            r"(?:\s[^<>]{0,200})?/?>",
            _ANYCASE,
        ),
        ("<",),
    ),
    Rule(
        "quoted_whole",
        Family.MARKUP,
        "a text that stands in quotation marks from beginning to end",
        re.compile(r"\s{0,20}[\"\u201c][^\"\u201c\u201d]+[\"\u201d]\s{0,20}\Z"),
        ('"', "\u201c"),
        at_start=True,
    ),
    Rule(
        "list_number",
        Family.NUMBERING,
        "the number or bullet of a list at the beginning: 3. , (2) , - ",
        re.compile(r"\s{0,20}(?:\d{1,3}[.)]\)?|\(\d{1,3}\)|[a-zA-Z]\)|[-*•‣●▪])[ \t]{1,20}(?=\S)"),
        (),
        at_start=True,
    ),
    Rule(
        "model_identity",
        Family.META,
        "the writer says that it is a language model: as an AI language model, my training data",
        re.compile(
            r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b"
            r"|\bi(?: a|')m (?:just |only )?an? "
            r"(?:ai|artificial intelligence|(?:large )?language model)\b"
            r"|\bmy (?:training data|knowledge cut-?off)\b|\bknowledge cut-?off\b",
            _ANYCASE,
        ),
        (" ai", "artificial", "language model", "training data", "knowledge cut"),
    ),
    Rule(
        "refusal",
        Family.META,
        "a refusal: I cannot help with that, I must decline, against my guidelines",
        re.compile(
            rf"\bi ?{_CANNOT} (?:help|assist)(?: you)? with "
            r"(?:that|this|your|creating|generating|writing)\b"
            rf"|\bi ?{_CANNOT} (?:fulfill?|comply with|complete|answer|process) "
            r"(?:this|that|your|the) (?:request|prompt|instruction|question)"
            rf"|\bi ?{_CANNOT} (?:provide|create|generate|write|produce|engage in|continue) "
            r"(?:\w{1,20} ){0,2}"
            r"(?:content|text|review|sentence|example|conversation|response|message)"
            r"|\bi must (?:respectfully )?decline\b"
            r"|\bagainst my (?:programming|guidelines|policy|policies)\b",
            _ANYCASE,
        ),
        (
            *("cannot", "can not", "can't", "could no", "couldn", "won't"),
            *("will not", "unable", "not able", "decline", "against my"),
        ),
    ),
    Rule(
        "preamble",
        Family.META,
        "an answer's introduction: Sure, here is ..., Here are five examples",
        re.compile(
            r"[\s\"'*]{0,8}(?:(?:sure|certainly|of course|absolutely|okay|ok|great|understood)"
            r"(?: thing)?[,.! -]{1,4}(?:here(?:'s| is| are)|below (?:is|are))\b"
            r"|(?:here(?:'s| is| are)|below (?:is|are)) "
            rf"[^\n.:]{{0,40}}\b{_THING}\b[^\n:]{{0,80}}:)",
            _ANYCASE,
        ),
        ("here is", "here are", "here's", "below is", "below are"),
        at_start=True,
    ),
    Rule(
        "closing_offer",
        Family.META,
        "an offer at the end: Let me know if you need more, I hope this helps",
        re.compile(
            r"\b(?:let me know if (?:you(?:'d| would)? (?:like|need|want)|this)"
            r"|i hope this helps|feel free to (?:ask|modify|adjust|reach out))[\s\S]{0,120}\Z",
            _ANYCASE,
        ),
        ("let me know if", "i hope this helps", "feel free to"),
    ),
    Rule(
        "note_to_reader",
        Family.META,
        "talk about the task: (Note: ...), as requested, the specified label",
        re.compile(
            r"(?:^|[(\[*])\s{0,4}note\*{0,2}:|\bas (?:you )?requested, "
            r"|\bthe (?:given|specified|requested) (?:label|category|class|intent|tone|sentiment)\b"
            r"|\bthis (?:is|was) an? (?:synthetic|generated|fictional|sample|made-up) "
            r"(?:text|review|sentence|message|example|query)\b",
            _ANYCASE | re.MULTILINE,
        ),
        (
            *("note:", "note*", "requested", "the given", "the specified"),
            *("this is a", "this was a"),
        ),
    ),
)
"""All rules; a text may match several."""
