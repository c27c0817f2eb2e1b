"""Recipe text to plain values with the place of every key: YAML 1.2 scalars, bounded, inert.

The text is untrusted. Anchors, aliases, merge keys and tags are refused, so that a small file
cannot grow into a large value; size and depth are bounded. Only `true` and `false` are booleans, so
labels called `yes`, `no`, `on` and `off` stay words, and nothing is read as a date, an octal or a
sexagesimal number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from schemas.errors import InputError

MAX_BYTES = 1 << 20
MAX_DEPTH = 16

KeyPath = tuple[str | int, ...]

NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+\Z")
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Source:
    """A parsed text: its value, and where each part of it stands.

    Args:
        data: Mappings (with text keys), lists, text, numbers, booleans, None.
        places: For every key path the place that set it: `recipe.yaml:12`, or `--set rows=5`.
    """

    data: Any
    places: dict[KeyPath, str]

    def place_of(self, path: KeyPath) -> str:
        """Name the place of `path`, or of the nearest key around it that the text holds."""
        for length in range(len(path), -1, -1):
            if (place := self.places.get(path[:length])) is not None:
                return place if place.startswith("--") else f"{place} {dotted(path)}".strip()
        return dotted(path)


def dotted(path: KeyPath) -> str:
    """Write a key path as users do: `strategies[0].top_p`; unprintable characters are escaped."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{printable(part)}"
    return text.removeprefix(".")


def printable(text: str) -> str:
    """Escape what a terminal would act on instead of showing it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def parse_yaml(text: str, *, name: str) -> Source:
    """Parse one YAML document.

    Args:
        text: The document.
        name: What errors call the text: the file's path, or the command-line option.

    Raises:
        InputError: `CS-R002`, with the line, if the text is not YAML or uses what is refused.
    """
    if len(text) > MAX_BYTES:
        raise InputError(
            f"the text is larger than {MAX_BYTES:,} bytes",
            code="CS-R002",
            place=name,
            hint="move long lists of texts into an examples file",
        )
    try:
        return _Reader(text, name).read()
    except yaml.YAMLError as error:
        raise _syntax_error(error, text=text, name=name) from None


def plain_scalar(text: str) -> Any:
    """Read an unquoted scalar: null, true, false, a number, or else the text itself.

    Raises:
        ValueError: If an integer has more digits than Python converts.
    """
    if NULL.match(text):
        return None
    if BOOLEAN.match(text):
        return text.lower() == "true"
    if INTEGER.match(text):
        return int(text.replace("_", ""))
    if FLOAT.match(text) and not _LEADING_ZERO.match(text):
        word = text.lower().replace("_", "")
        return float(word.replace(".inf", "inf").replace(".nan", "nan"))
    return text


class _Reader:
    """Builds values from parser events, so that what is refused is refused before it is built."""

    def __init__(self, text: str, name: str) -> None:
        self._loader = _LOADER(text)
        self._name = name
        self._is_file = not name.startswith("--")
        self._places: dict[KeyPath, str] = {}

    def read(self) -> Source:
        events = self._events()
        next(events)  # stream start
        first = next(events)
        if isinstance(first, yaml.StreamEndEvent):
            return Source(None, {(): self._name})
        data = self._value(next(events), events, ())
        next(events)  # document end
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            raise self.error("a second YAML document starts", after, "keep one document a file")
        return Source(data, self._places)

    def _events(self) -> Iterator[yaml.Event]:
        try:
            while self._loader.check_event():
                yield self._loader.get_event()
        finally:
            self._loader.dispose()

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath) -> Any:
        self._refuse_references(event)
        if len(path) > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} levels deep", event, "flatten it")
        self._places.setdefault(path, self._place(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._value(event, events, (*path, len(items))))
            return items
        return self._scalar(event)

    def _mapping(self, events: Iterator[yaml.Event], path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            self._refuse_references(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.error("a key must be plain text", event, "quote the key")
            key = event.value
            if key == "<<" and event.implicit[0]:
                raise self.error("merge keys (<<) are refused", event, "write the keys out")
            if key in values:
                first = self._places[*path, key]
                raise self.error(
                    f"the key {printable(key)!r} stands twice, first at {first}",
                    event,
                    "remove one of the two",
                )
            self._places[*path, key] = self._place(event)
            values[key] = self._value(next(events), events, (*path, key))
        return values

    def _refuse_references(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self.error("anchors (&) and aliases (*) are refused", event, "write it out")
        if getattr(event, "tag", None) is not None:
            raise self.error("tags (!) are refused", event, "remove the tag, or quote the text")

    def _scalar(self, event: Any) -> Any:
        if not event.implicit[0]:
            return event.value
        try:
            return plain_scalar(event.value)
        except ValueError:
            raise self.error("the number has too many digits", event, "shorten it") from None

    def _place(self, event: yaml.Event) -> str:
        mark: Any = event.start_mark
        return f"{self._name}:{mark.line + 1}" if self._is_file else self._name

    def error(self, message: str, event: yaml.Event, hint: str) -> InputError:
        return InputError(message, code="CS-R002", place=self._place(event), hint=hint)


def _syntax_error(error: yaml.YAMLError, *, text: str, name: str) -> InputError:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    hint = "check the indentation, and quote texts that hold ': ' or ' #' or start with a sign"
    place = name
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        line = text.splitlines()[mark.line] if mark.line < len(text.splitlines()) else ""
        if line[mark.column :].startswith("\t") or "tab" in problem:
            problem, hint = "a tab is used for indentation", "indent with spaces"
        place = name if name.startswith("--") else f"{name}:{mark.line + 1}"
    return InputError(f"not valid YAML: {problem}", code="CS-R002", place=place, hint=hint)
