import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import Estimate, GateOutcome, Metric, Span, Table
from tasks.report.audit_charts import axis_end, interval_plot
from tasks.report.audit_excerpts import excerpt
from tasks.report.audit_figures import bound_words, figure, interval, number, share_columns


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0.0, "share", "0\u00a0%"),
        (0.00001, "share", "<\u00a00.01\u00a0%"),
        (0.0006, "share", "0.06\u00a0%"),
        (0.00994, "share", "0.99\u00a0%"),
        (0.00996, "share", "1.0\u00a0%"),
        (0.0793, "share", "7.9\u00a0%"),
        (0.9993, "share", "99.93\u00a0%"),
        (0.99999, "share", ">\u00a099.9\u00a0%"),
        (1.0, "share", "100\u00a0%"),
        (-0.03, "share", "\N{MINUS SIGN}3.0\u00a0%"),
        (1.5, "share", "1.50"),
        (12.4, "words", "12.4 words"),
        (1.0, "words", "1 word"),
        (0.871, "score", "0.871"),
    ],
)
def test_figures_in_words(value: float, unit: str, written: str) -> None:
    assert figure(value, unit) == written


@given(st.floats(0, 1))
def test_only_nothing_is_nothing_and_only_all_is_all(value: float) -> None:
    assert (number(value, "share") == "0\u00a0%") == (value == 0)
    assert (number(value, "share") == "100\u00a0%") == (value == 1)


def test_intervals_in_words() -> None:
    assert interval(Estimate(value=0.5, low=0.25, high=0.75, n=9), "score") == "0.250 to 0.750"
    assert interval(Estimate(value=0.5, n=9), "score") == ""


@pytest.mark.parametrize(
    ("bound", "unit", "written"),
    [
        ("<= 0.05", "share", "at most 5\u00a0%"),
        ("<= 0", "share", "at most 0\u00a0%"),
        (">= 0.5", "score", "at least 0.5"),
        ("0.2 to 0.8", "share", "20\u00a0% to 80\u00a0%"),
        ("5 to 40", "words", "5 to 40"),
        ("", "share", ""),
        ("<= nan", "share", "at most nan"),
        ("set <b>", "share", "set &lt;b&gt;"),
    ],
)
def test_bounds_in_words(bound: str, unit: str, written: str) -> None:
    assert bound_words(bound, unit) == written


def test_columns_of_shares_are_known_by_heading_and_values() -> None:
    columns = ("label", "low", "share", "high", "p", "error rate", "shareholders", "share of words")
    rows = (("a", 0.1, 0.5, 0.6, 0.01, 2.0, 0.5, None), ("b", 0.1, 1, None, 0.5, 0.5, 0.5, None))
    table = Table(name="t", group="shape", title="t", caption="", columns=columns, rows=rows)  # type: ignore[arg-type]
    assert share_columns(table) == {2, 3}


@given(st.floats(1e-9, 1e9))
def test_an_axis_ends_at_the_next_round_number(greatest: float) -> None:
    end = axis_end(greatest)
    assert greatest <= end * (1 + 1e-8)
    assert end < 2.5 * greatest * (1 + 1e-8)
    assert f"{end:e}"[0] in "125"
    assert set(f"{end:.3e}"[1:].split("e")[0]) <= {".", "0"}


def measured(value: float, **changes: object) -> Metric:
    facts: dict[str, object] = {
        "name": "m", "group": "shape", "title": "M", "unit": "share", "better": "lower",
        "estimate": {"value": value, "low": value, "high": value, "n": 9}, "definition": "d",
    }  # fmt: skip
    return Metric.model_validate(facts | changes)


def test_a_plot_places_estimate_reference_and_bound_on_one_axis() -> None:
    one = measured(
        0.02, estimate={"value": 0.02, "low": 0.01, "high": 0.03, "n": 9},
        baseline={"value": 0.04, "n": 9},
    )  # fmt: skip
    gate = GateOutcome(metric="m", level="pass", observed=0.02, bound="<= 0.05")
    drawn = str(interval_plot(one, gate))
    assert '<line class="dot" x1="40" x2="40"' in drawn
    assert '<line class="whisker" x1="20" x2="60"' in drawn
    assert '<line class="reference" x1="80" x2="80"' in drawn
    assert '<line class="bound" x1="100" x2="100"' in drawn
    assert "<span>5\u00a0%</span>" in drawn


@pytest.mark.parametrize(
    "one",
    [
        measured(-1.0),
        measured(0.0),
        measured(0.5, estimate={"value": 0.5, "n": 9}),
        measured(0.5, estimate=None, unmeasured="no rows"),
    ],
)
def test_no_plot_where_there_is_nothing_to_compare(one: Metric) -> None:
    assert interval_plot(one, None) == ""


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5)


@given(st.text(max_size=50), spans, st.integers(1, 60), st.integers(0, 99))
@settings(deadline=None)
def test_an_excerpt_is_a_part_of_the_text_with_the_spans_marked(
    text: str, places: list[tuple[int, int]], limit: int, more: int
) -> None:
    made = excerpt(
        text, [Span(start=a, end=b) for a, b in places], limit=limit, chars=len(text) + more
    )
    shown = "".join(piece.text for piece in made.pieces)
    inside = {p for a, b in places for p in range(a, min(b, len(text)))}
    marks = "".join(("x" if piece.marked else ".") * len(piece.text) for piece in made.pieces)
    starts = [s for s in range(len(text) + 1) if text[s : s + made.shown] == shown]
    wanted = ["".join(".x"[s + p in inside] for p in range(made.shown)) for s in starts]
    assert len(shown) == made.shown == min(limit, len(text))
    assert marks in wanted
    assert made.chars == len(text) + more
    assert made.late or text.startswith(shown)
    if inside:
        assert "x" in marks
