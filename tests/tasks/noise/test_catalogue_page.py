from pathlib import Path

from tasks.noise.catalogue import catalogue
from tasks.noise.catalogue_page import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "noise-operators.md"


def test_the_page_is_up_to_date() -> None:
    hint = "run `python -m tasks.noise.catalogue_page > docs/noise-operators.md`"
    assert PAGE.read_text(encoding="utf-8") == page(), hint


def test_every_kind_has_one_line_with_its_parameters_and_sources() -> None:
    lines = page().splitlines()
    for kind in catalogue():
        [line] = [line for line in lines if line.startswith(f"| `{kind.kind}` |")]
        assert all(f"`{parameter.name}`" in line for parameter in kind.parameters)
        assert kind.meaning.replace("|", "&#124;") in line
        assert line.count(" | ") == 4
