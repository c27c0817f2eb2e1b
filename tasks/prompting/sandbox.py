"""The environment in which templates run: nothing of Python, no files, bounded work.

A template is untrusted input. Jinja's immutable sandbox keeps it from Python's internals; what is
added here keeps it from eating memory and time: only the statements, filters and methods listed
below exist, every text that is built is bounded, and so is the number of loop rounds of one
rendering.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import jinja2
import jinja2.meta
from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schemas.recipe_errors import suggest

MAX_CHARS = 64 * 1024
MAX_ROUNDS = 100_000
MAX_RANGE = 1_000

_NODES: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call, nodes.Filter, nodes.Test),
    *(nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg),
)
_FILTERS = (
    *("abs", "capitalize", "count", "default", "d", "dictsort", "first", "groupby", "int", "items"),
    *("last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse"),
    *("round", "select", "selectattr", "sort", "title", "trim", "truncate", "unique", "upper"),
)
_METHODS = (
    *("items", "keys", "values", "get", "lower", "upper", "title", "capitalize", "strip"),
    *("split", "splitlines", "startswith", "endswith", "cycle", "changed"),
)
_COUNTED = "counted rounds"  # holds a space, so that no template can name it
_rounds_left: ContextVar[int] = ContextVar("rounds_left", default=MAX_ROUNDS)


class Unknown(StrictUndefined):
    """A variable or key that does not exist: its use is an error that names those that do."""

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = None,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = UndefinedError,
    ) -> None:
        if hint is None and isinstance(obj, Mapping):
            hint = unknown_name(str(name), map(str, obj))
        super().__init__(hint, obj, name, exc)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, reduced to what a prompt needs."""

    intercepted_binops = frozenset("+")

    def __init__(self) -> None:
        super().__init__(
            undefined=Unknown,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_text,
            optimized=False,
        )
        self.filters = {name: FILTERS[name] for name in _FILTERS} | _OWN | {_COUNTED: _counted}
        self.globals = {"range": _range}

    def is_safe_callable(self, obj: Any) -> bool:
        """Allow `range` and the listed methods of texts, mappings and loops; refuse all else."""
        name = getattr(obj, "__name__", "")
        owner = getattr(obj, "__self__", None)
        is_method = name in _METHODS and isinstance(owner, (str, dict, LoopContext))
        if isinstance(obj, Undefined) or obj is _range or is_method:
            return True
        raise SecurityError(f"{name or 'this value'}() may not be called")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add, when the result stays small."""
        if isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
            _bounded(len(left) + len(right))
        return super().call_binop(context, operator, left, right)


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Say that a name does not exist, which is nearest, and which do exist."""
    names = sorted(known)
    return f"there is no {name!r}; {suggest(name, names)}there is: {', '.join(names) or 'nothing'}"


@lru_cache(maxsize=64)
def compile_template(source: str, *, filename: str, variables: tuple[str, ...]) -> jinja2.Template:
    """Check and compile a template.

    Args:
        source: The template's text.
        filename: What errors call it.
        variables: Names that a rendering defines.

    Raises:
        jinja2.TemplateSyntaxError: If it is not valid Jinja.
        jinja2.TemplateAssertionError: If it uses a filter or test that does not exist.
        ForbiddenNode: If it uses a statement or operator that the sandbox does not have.
        UnknownVariable: If it uses a variable that no rendering defines.
    """
    environment = Sandbox()
    tree = environment.parse(source, filename=filename)
    for node in _walk(tree):
        if not isinstance(node, _NODES) or (isinstance(node, nodes.For) and node.recursive):
            raise ForbiddenNode(type(node).__name__.lower(), node.lineno)
    known = {*variables, *environment.globals}
    undeclared = jinja2.meta.find_undeclared_variables(tree) - known | {"self"}
    for node in tree.find_all(nodes.Name):
        if node.name in undeclared:
            raise UnknownVariable(unknown_name(node.name, variables), node.lineno)
    _count_and_bound(tree)
    code = environment.compile(tree, filename=filename)
    return jinja2.Template.from_code(environment, code, environment.make_globals(None))


def reset_rounds() -> None:
    """Give the next rendering of this thread its loop rounds."""
    _rounds_left.set(MAX_ROUNDS)


class ForbiddenNode(Exception):
    """A template uses what the sandbox does not have: `args` are its name and line."""


class UnknownVariable(Exception):
    """A template uses a variable that does not exist: `args` are a sentence and the line."""


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _walk(child)


def _count_and_bound(tree: nodes.Template) -> None:
    """Make every loop count its rounds and every `~` a bounded join."""
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
    for parent in [tree, *_walk(tree)]:
        for field, value in parent.iter_fields():
            if isinstance(value, nodes.Concat):
                setattr(parent, field, _as_join(value))
            elif isinstance(value, list):
                value[:] = [_as_join(v) if isinstance(v, nodes.Concat) else v for v in value]


def _as_join(concat: nodes.Concat) -> nodes.Filter:
    line = concat.lineno
    parts = nodes.List(concat.nodes, lineno=line)
    return nodes.Filter(parts, "join", [], [], None, None, lineno=line)


def _bounded(size: int) -> None:
    if size > MAX_CHARS:
        raise SecurityError(f"a text or list grows beyond {MAX_CHARS:,}")


def _text(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is unknown
    if not isinstance(value, (str, int, float)):
        raise SecurityError(
            f"a {type(value).__name__} cannot be written into a prompt; loop over it or join it"
        )
    text = str(value)
    _bounded(len(text))
    return text


def _join(value: Iterable[Any], d: str = "") -> str:
    texts = [_text(item) for item in value]
    _bounded(sum(map(len, texts)) + len(texts) * len(d))
    return d.join(texts)


def _replace(value: str, old: str, new: str) -> str:
    text = _text(value)
    _bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _one_line(value: Any) -> str:
    return " ".join(_text(value).split())


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        raise SecurityError(f"range() gives more than {MAX_RANGE:,} numbers")
    return numbers


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        left = _rounds_left.get() - 1
        if left < 0:
            raise SecurityError(f"the loops take more than {MAX_ROUNDS:,} rounds")
        _rounds_left.set(left)
        yield item


_OWN = {"join": _join, "replace": _replace, "one_line": _one_line}
FILTER_NAMES = tuple(sorted((*_FILTERS, *_OWN)))
"""Filters that a template can use; `one_line` makes a text a single line."""
