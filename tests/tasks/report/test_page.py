import base64
import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import GateResult, Shortfall
from schemas.recipe import Recipe
from tasks.report import Findings, render_page, write_report

VOID = {"meta", "col", "input", "br", "link", "hr", "img"}
TWO_MEGABYTES = 2_000_000


class Outline(HTMLParser):
    """Checks nesting while reading, and collects ids, headings, elements and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[int] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, found, value in self.attributes if found == name]


def words_of(page: str) -> str:
    text = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    text = html.unescape(re.sub("<[^>]*>", " ", text)).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+", " ", text)


def test_the_page_is_well_formed_and_has_an_outline(small: Any) -> None:
    outline = Outline(render_page(small.findings()))
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "for", "href"):
        for value in outline.values(name):
            assert {part.removeprefix("#") for part in value.split()} <= set(ids), value
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    for before, after in zip(outline.headings, outline.headings[1:], strict=False):
        assert after <= before + 1
    assert outline.elements["main"] == outline.elements["header"] == outline.elements["footer"] == 1
    assert outline.elements["caption"] == outline.elements["table"] > 0
    assert ("html", "lang", "en") in outline.attributes


def test_the_numbers_on_the_page_are_those_of_the_findings(small: Any) -> None:
    found = small.findings()
    words = words_of(render_page(found))
    assert "120 of 125 rows accepted; 40 of 160 candidates (25.0 %) were rejected." in words
    assert "Not released" in words
    for sentence in found.grounds:
        assert sentence in words
    for count in found.rejections:
        assert f"{count.reason} {count.meaning} {count.rows}" in words
    assert "a 33.3 % 33.3 % 40 1 0" in words
    assert "b 66.7 % 66.7 % 80 4 40" in words
    assert "30 of 120 rows (25.0 %) were noised" in words
    assert "train 120" in words
    assert "12,345 read, 1,120 written" in words
    assert "generate 1 min 15 s" in words
    for gate in found.gates:
        assert gate.name in words
    assert all(row.id in words for row in found.samples.accepted)
    assert "duplicate 20" in words


def test_the_verdict_comes_first(small: Any) -> None:
    words = words_of(render_page(small.findings()))
    assert 0 < words.index("Not released", 40) < words.index("Dataset gates")


def test_the_policy_forbids_every_load_and_names_the_two_inline_elements(small: Any) -> None:
    page = render_page(small.findings())
    outline = Outline(page)
    (policy,) = [v for v in outline.values("content") if "default-src" in v]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not set(outline.elements) & {"img", "link", "iframe", "object", "embed", "audio", "base"}
    names = {name for _, name, _ in outline.attributes}
    assert not names & {"src", "style", "srcset", "action"}
    assert not any(name.startswith("on") for name in names)
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page
    assert "@import" not in page


HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</bdi></li></ol><!--",
    "a\u202eb\u2066c\x1b[31m\x07",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
    "]]></style>",
)


def test_hostile_texts_are_shown_and_not_obeyed(
    release: Callable[..., Any],
    row: Callable[..., Any],
    rejected_row: Callable[..., Any],
    recipe: Callable[..., Recipe],
) -> None:
    labels = ("../../x", "<img src=x onerror=alert(1)>", "\u202elabel")
    rows = [
        row(n, text=text, label=labels[n % 3], prompt=text, attributes=[("tone", text)])
        for n, text in enumerate(HOSTILE)
    ]
    noise = [{"kind": "<i>", "start": 0, "end": 1, "before": "<", "after": '"<b onclick=x>'}]
    rows.append(row(50, text='"<b onclick=x>', label=labels[1], clean_text="<", noise=noise))
    rejected = [
        rejected_row(60 + n, text, detail=text, text=text) for n, text in enumerate(HOSTILE)
    ]
    gates = (GateResult(name="<g>", passed=False, observed=1, bound="<img>", meaning="<i>"),)
    run = release(
        recipe=recipe(
            labels=dict.fromkeys(labels, "<script>"),
            attributes={"tone": list(HOSTILE)},
            model={"name": "<script>x"},
        ),
        accepted=rows,
        rejected=rejected,
        shortfalls=[Shortfall(label=labels[1], strategy="<s>", missing=1, reasons={"<r>": 1})],
        changes={"gates": gates, "packages": {"<p>": "<v>"}, "version": "<v>", "parent": "<x>"},
    )
    plain = Outline(render_page(release(accepted=[row(0)]).findings()))
    page = render_page(run.findings())
    outline = Outline(page)
    extra = {"h4", "b", "del", "ins", "em", "strong", "small"}
    assert set(outline.elements) <= set(plain.elements) | extra
    assert outline.elements["script"] == 1
    assert not any(name.startswith("on") for _, name, _ in outline.attributes)
    assert all("alert" not in value for _, _, value in outline.attributes)
    shown = "".join(outline.texts)
    for text in HOSTILE[:4]:
        assert text in shown
    assert "{{ 7 * 7 }}" in shown
    assert "../../x" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize("worst", ["\u202ea", '"', "\U0001f600"])
def test_the_page_stays_below_two_megabytes(
    worst: str,
    release: Callable[..., Any],
    row: Callable[..., Any],
    rejected_row: Callable[..., Any],
    recipe: Callable[..., Recipe],
) -> None:
    long = (worst * 100_000)[:100_000]
    label = (worst * 100)[:180]
    labels = [f"{label}{n:03}".replace("\u202e", "\u200b") for n in range(300)]
    attributes = {f"k{n}": [f"{long[:900]}{value}" for value in range(40)] for n in range(10)}
    pairs = [(name, values[0]) for name, values in attributes.items()]
    # One edit for every second character of the beginning: the costliest marking.
    edits = [
        {"kind": "k", "start": n, "end": n + 1, "before": long[n], "after": "q"}
        for n in range(0, 1000, 2)
    ]
    noised = "".join("q" if n % 2 == 0 else long[n] for n in range(1000)) + long[1000:]
    common = {"prompt": long, "attributes": pairs}
    rows = [row(n, text=long, label=labels[n % 300], **common) for n in range(50)]
    rows += [
        row(n, text=noised, clean_text=long, noise=edits, label=labels[n], **common)
        for n in range(50, 80)
    ]
    reasons = [f"{label}{n}" for n in range(16)]
    rejected = [
        rejected_row(100 + n, reasons[n % 16], text=long, detail=long, **common) for n in range(90)
    ]
    described = {name: {"description": long[:2000]} for name in labels}
    short = [Shortfall(label=name, strategy="nucleus", missing=1) for name in labels]
    run = release(
        recipe=recipe(labels=described, attributes=attributes),
        accepted=rows,
        rejected=rejected,
        shortfalls=short,
    )
    found = run.findings()
    page = render_page(found)
    Outline(page)
    assert len(page.encode()) < TWO_MEGABYTES
    assert "of 100,000 characters" in words_of(page)
    assert len(found.samples.accepted) == 40


def test_fifty_thousand_rows_make_a_small_page(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    rows = [row(number) for number in range(50_000)]
    page = render_page(release(accepted=rows).findings(shard=25_000))
    assert "All 50,000 rows asked for were accepted." in page
    assert len(page.encode()) < 300_000


def test_many_labels_fold_beyond_thirty(
    release: Callable[..., Any], row: Callable[..., Any], recipe: Callable[..., Recipe]
) -> None:
    labels = [f"label-{n:03}" for n in range(200)]
    run = release(
        recipe=recipe(labels=dict.fromkeys(labels, "says it")),
        accepted=[row(n, label=label) for n, label in enumerate(labels)],
    )
    words = words_of(render_page(run.findings()))
    assert "170 more" in words
    assert all(label in words for label in labels)


def test_a_page_without_noise_gates_attributes_and_rejections(
    release: Callable[..., Any], row: Callable[..., Any], recipe: Callable[..., Recipe]
) -> None:
    run = release(
        recipe=recipe(noise=None, attributes={}),
        accepted=[row(0, attributes=[])],
        changes={"gates": (), "packages": {}, "seconds": {}},
    )
    page = render_page(run.findings())
    headings = re.findall("<h[23][^>]*>(.*?)</h[23]>", page, flags=re.DOTALL)
    assert not {"Noise", "Noised", "Attributes", "Dataset gates", "Rejected"} & set(headings)
    for target in re.findall('href="#([^"]+)"', page):
        assert f'id="{target}"' in page


def test_write_report_writes_the_page_and_its_twin(small: Any, tmp_path: Path) -> None:
    found = small.findings()
    write_report(found, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert (tmp_path / "report.html").read_bytes() == render_page(found).encode()
    twin = (tmp_path / "report.json").read_bytes()
    assert Findings.model_validate_json(twin) == found
    assert json.loads(twin)["schema_version"] == 1
    again = tmp_path / "again"
    again.mkdir()
    write_report(small.findings(shard=9, backwards=True), again)
    for name in ("report.html", "report.json"):
        assert (again / name).read_bytes() == (tmp_path / name).read_bytes()


def test_failed_gates_come_first(release: Callable[..., Any], row: Callable[..., Any]) -> None:
    gates = tuple(
        GateResult(name=name, passed=passed, observed=None, bound="= 0", meaning="")
        for name, passed in (("first", True), ("second", False), ("third", True))
    )
    run = release(accepted=[row(0)], changes={"gates": gates, "verdict": "fail"})
    page = render_page(run.findings())
    names = re.findall("<code><bdi>(first|second|third)</bdi></code>", page)
    assert names == ["second", "first", "third"]
    assert words_of(page).count("not measured") == 1
