"""Templates: found by name or beside the recipe, checked when loaded, rendered in the sandbox."""

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import SecurityError, UndefinedError

from prompts import read_template, template_names
from schemas.errors import InputError
from schemas.recipe import Recipe, TransformersModel
from schemas.recipe_errors import shown, suggest
from schemas.recipe_file import TEMPLATE, LoadedRecipe
from schemas.yaml_source import printable
from tasks.prompting.sandbox import (
    FILTER_NAMES,
    MAX_CHARS,
    ForbiddenNode,
    UnknownVariable,
    compile_template,
    reset_rounds,
)

VARIABLES = ("label", "labels", "attributes", "examples", "language")
"""What a template can use.

`label` has `name` and `description`; `labels` lists all of them; `attributes` maps names to the
row's values; `examples` lists `text`, `label` and `description`; `language` is the recipe's tag.
"""
QUESTION_VARIABLES = ("text", "label", "labels", "language")
"""What a question about a text can use beside the `text` itself."""


@dataclass(frozen=True)
class Template:
    """A template's text under its name. It can be pickled; compiling is cached by content.

    Args:
        name: The shipped template's name, or the file's name.
        source: The template's text.
        place: What errors call it.
    """

    variables: ClassVar[tuple[str, ...]] = VARIABLES

    name: str
    source: str
    place: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the text, 64 hexadecimal digits."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def reference(self) -> str:
        """Name and first 12 digits of the hash: the `template` column of a row."""
        return f"{self.name}@{self.sha256[:12]}"

    def render(self, variables: Mapping[str, Any]) -> str:
        """Render the template.

        Args:
            variables: A value for each of its own `variables`; mappings, lists and texts only.

        Raises:
            InputError: `CS-P002` to `CS-P004`, with the template's line where it is known.
        """
        pieces: list[str] = []
        num_chars = 0
        try:
            compiled = compile_template(self.source, filename=self.place, variables=self.variables)
            reset_rounds()
            for piece in compiled.generate(variables):
                num_chars += len(piece)
                if num_chars > MAX_CHARS:
                    raise SecurityError(f"the prompt is longer than {MAX_CHARS:,} characters")
                pieces.append(piece)
        except Exception as error:  # a template can raise anything that Python can
            raise _template_error(error, self.place) from None
        return "".join(pieces)

    def check(self) -> None:
        """Compile the template without rendering it.

        Raises:
            InputError: `CS-P002` to `CS-P004`.
        """
        try:
            compile_template(self.source, filename=self.place, variables=self.variables)
        except Exception as error:
            raise _template_error(error, self.place) from None


class Question(Template):
    """A shipped template that a strategy renders about a text."""

    variables: ClassVar[tuple[str, ...]] = QUESTION_VARIABLES


def load_question(kind: Literal["label_of", "restore"], recipe: Recipe) -> Question:
    """Read a question in the form that the recipe's model knows.

    The starter model was trained on questions of its own; every other model, a copy of the starter
    under another name too, gets the general ones.

    Args:
        kind: `label_of` asks for the label of a text, `restore` for the clean text of a damaged
            one.
        recipe: Names the model.
    """
    name = f"{kind}_starter" if is_starter(recipe) else kind
    return Question(name, read_template(name), f"prompts/{name}.j2")


def is_starter(recipe: Recipe) -> bool:
    """Tell whether the recipe's model is the one that ships with corpusmith."""
    return isinstance(recipe.model, TransformersModel) and recipe.model.name == "starter"


def load_template(loaded: LoadedRecipe) -> Template:
    """Find, read and compile the recipe's template.

    A shipped template's name comes first; anything else is a path beside the recipe.

    Raises:
        InputError: `CS-P001` if there is no such template or it cannot be read, `CS-P002` to
            `CS-P004` if it is wrong, `CS-R008` if its path leaves the recipe's folder.
    """
    name = loaded.recipe.prompt.template
    if name in template_names():
        template = Template(name, read_template(name), f"prompts/{name}.j2")
    else:
        path = loaded.inside(TEMPLATE, name)
        template = Template(path.name, _read(path, loaded), str(path))
    template.check()
    return template


def _read(path: Path, loaded: LoadedRecipe) -> str:
    name = loaded.recipe.prompt.template

    def wrong(what: str, hint: str) -> InputError:
        message = f"the template {shown(name)} {what}"
        return InputError(message, code="CS-P001", place=loaded.place(TEMPLATE), hint=hint)

    names = [*template_names(), *sorted(file.name for file in loaded.folder.glob("*.j2"))]
    if not path.is_file():
        hint = f"{suggest(name, names)}there is: {', '.join(names)}"
        raise wrong("does not exist", hint)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARS + 1)
    except UnicodeDecodeError:
        raise wrong("is not UTF-8", "save the file as UTF-8") from None
    except OSError as error:
        raise wrong(f"cannot be read: {error.strerror}", "check its permissions") from None
    if len(text) > MAX_CHARS:
        raise wrong(f"is longer than {MAX_CHARS:,} characters", "shorten it")
    return text


def _template_error(error: Exception, place: str) -> InputError:
    line = _line_of(error, place)
    where = f"{place}:{line}" if line else place
    match error:
        case TemplateSyntaxError():
            code, message = "CS-P002", f"not valid Jinja: {error.message}"
            hint = "correct the template in this line"
            if "filter" in str(error.message):
                hint = f"the filters are: {', '.join(FILTER_NAMES)}"
        case ForbiddenNode():
            code, message = "CS-P004", f"templates have no {error.args[0]!r}"
            hint = "use variables, filters, if and for only"
        case UnknownVariable() | UndefinedError():
            code, (message, _, hint) = "CS-P003", str(error.args[0]).partition("; ")
        case SecurityError():
            code, message = "CS-P004", str(error)
            hint = "a template may read its variables and write short texts, nothing else"
        case RecursionError() | MemoryError() | SyntaxError():
            code, message, hint = "CS-P002", "nested too deeply", "flatten the template"
        case _:
            code = "CS-P002"
            message, hint = f"the template fails: {error}", "correct the expression in this line"
    hint = hint or f"the variables are: {', '.join(VARIABLES)}"
    return InputError(printable(message), code=code, place=where, hint=hint)


def _line_of(error: Exception, place: str) -> int | None:
    match error:
        case TemplateSyntaxError():
            return error.lineno
        case ForbiddenNode() | UnknownVariable():
            return int(error.args[1])
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == place), None)
