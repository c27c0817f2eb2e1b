"""`docs/errors.md` lists exactly the codes that exist, each with its meaning and a true block."""

import re
from pathlib import Path

import pytest

import schemas.errors
from flows.cli.errors import show_error
from schemas.errors import CODES, GateError, InputError, RunError

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "errors.md").read_text("utf-8")
SECTION = re.compile(
    r"### (CS-\S+): ([^\n]+)\n\n```text\n(.*?)```\n\n(.+?)\n\n?(?=#|\Z)", re.DOTALL
)
SECTIONS = {found[1]: found for found in SECTION.finditer(PAGE)}
BLOCK = re.compile(r"error\[(\S+)\]: (.+)\n(?:  where: (.+)\n)?(?:  to do: (.+)\n)?\Z")


def test_the_page_lists_exactly_the_codes() -> None:
    assert re.findall(r"^### (CS-\S+):", PAGE, re.MULTILINE) == list(SECTIONS)
    assert list(SECTIONS) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_section_says_the_meaning_and_shows_a_block_as_it_is_printed(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, meaning, block, advice = SECTIONS[code].groups()
    assert meaning == CODES[code]
    assert len(advice) > 40
    found = BLOCK.match(block)
    assert found is not None
    assert found[1] == code
    show_error(InputError(found[2], code=code, place=found[3] or "", hint=found[4] or ""))
    assert capsys.readouterr().err == block


def test_the_page_lists_the_exit_codes() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    defined = {value for name, value in vars(schemas.errors).items() if name.startswith("EXIT_")}
    assert listed == defined
    assert (GateError.exit_code, InputError.exit_code, RunError.exit_code) == (1, 2, 3)
