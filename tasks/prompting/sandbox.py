"""The environment in which templates run: no attributes of Python, no files, bounded work.

A template is untrusted input. Jinja's immutable sandbox keeps it from Python's internals; what is added
here keeps it from eating memory and time: only the statements, filters, functions and methods listed
below exist, every text built is bounded, and so is the number of loop rounds of one rendering.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schemas.recipe_errors import suggest

MAX_CHARS = 64 * 1024
MAX_ROUNDS = 100_000

_NODES = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.NSRef, nodes.Const),
    *(nodes.For, nodes.If, nodes.Assign, nodes.AssignBlock, nodes.Scope),
    *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call, nodes.Keyword, nodes.Pair),
    *(nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Concat, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
    *(nodes.List, nodes.Tuple, nodes.Dict),
)
_FILTERS = (
    *("abs", "capitalize", "default", "d", "dictsort", "first", "float", "groupby", "int", "items"),
    *("join", "last", "length", "count", "list", "lower", "map", "max", "min", "reject"),
    *("rejectattr", "replace", "reverse", "round", "select", "selectattr", "sort", "title"),
    *("trim", "truncate", "unique", "upper", "wordcount"),
)
_METHODS = frozenset(
    "items keys values get lower upper title capitalize strip split splitlines startswith "
    "endswith cycle changed".split()
)
_rounds_left: ContextVar[int] = ContextVar("rounds_left", default=MAX_ROUNDS)


class UnknownVariable(StrictUndefined):
    """A variable that does not exist: any use is an error that names those that do."""

    def __init__(self, hint: str | None = None, obj: Any = None, name: str | None = None, exc: Any = None) -> None:
        if hint is None and isinstance(obj, Mapping) and name is not None:
            known = sorted(map(str, obj))
            hint = f"there is no {name!r}; {suggest(name, known)}possible: {', '.join(known) or 'none'}"
        super().__init__(hint, obj, name, *([] if exc is None else [exc]))
