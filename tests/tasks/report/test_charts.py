import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.report.charts import histogram, share_bar, slice_bar
from tasks.report.findings import Bin, Lengths


def lengths(rows: list[int]) -> Lengths:
    bins = tuple(Bin(start=n * 5, end=n * 5 + 5, rows=count) for n, count in enumerate(rows))
    return Lengths(unit="words", mean=3, least=0, p5=1, median=2, p95=3, greatest=4, bins=bins)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=27).filter(any))
@settings(deadline=None, max_examples=60)
def test_histogram_bars_are_to_scale_and_inside(rows: list[int]) -> None:
    svg = ET.fromstring(str(histogram(lengths(rows), "h")))
    width, height = map(int, svg.attrib["viewBox"].split()[2:])
    bars = svg.findall("rect")
    assert len(bars) == len(rows)
    heights = [float(bar.attrib["height"]) for bar in bars]
    unit = max(heights) / max(rows)
    for bar, count, tall in zip(bars, rows, heights, strict=True):
        assert tall == pytest.approx(count * unit, abs=0.02)
        assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width
        assert 0 <= float(bar.attrib["y"]) <= height
    ticks = [
        int(t.text.replace(",", ""))
        for t in svg.findall("text")
        if t.get("text-anchor") == "end" and t.text
    ]
    assert ticks[0] == 0
    assert ticks[-1] >= max(rows)
    assert len(ticks) <= 5 + 1
    assert len({b - a for a, b in itertools.pairwise(ticks)}) <= 1


def test_histogram_has_a_title_and_a_description() -> None:
    svg = ET.fromstring(str(histogram(lengths([1, 2]), "h")))
    named = {svg.find("title").attrib["id"], svg.find("desc").attrib["id"]}  # type: ignore[union-attr]
    assert set(svg.attrib["aria-labelledby"].split()) == named


@given(st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_bars_stay_inside_their_cell(a: float, b: float) -> None:
    for svg in (share_bar(a, b, max(a, b, 0.01)), slice_bar(min(a, b), max(a, b), "gone")):
        numbers = re.findall(r' (?:x|x1|x2|width)="([\d.]+)"', str(svg))
        assert all(0 <= float(number) <= 100 for number in numbers)
    ET.fromstring(str(svg))
