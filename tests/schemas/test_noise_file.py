from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.noise_file import load_noise, parse_steps

RECIPE = """\
name: tiny
seed: 11
rows: 4
labels: {a: first, b: second}
prompt: {template: intent}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "noise.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_noise_section_stands_alone(tmp_path: Path) -> None:
    found = load_noise(write(tmp_path, "noise:\n  share: 0.5\n  steps: [{kind: ocr, rate: 0.1}]\n"))
    assert (found.seed, found.noise.share, found.noise.steps[0].kind) == (0, 0.5, "ocr")
    assert load_noise(write(tmp_path, "seed: 3\nnoise: {preset: light}\n")).seed == 3


def test_a_whole_recipe_gives_its_noise_and_seed(tmp_path: Path) -> None:
    found = load_noise(write(tmp_path, RECIPE + "noise: {steps: [{kind: ocr, rate: 0.1}]}\n"))
    assert (found.seed, found.noise.share, found.folder) == (11, 0.25, tmp_path.resolve())


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (RECIPE, "CS-R004", "noise.yaml"),
        ("seed: 1\n", "CS-R004", "noise.yaml"),
        ("noise: {steps: [{kind: ocr, rate: 2}]}\n", "CS-R005", "noise.yaml:1 noise.steps[0].rate"),
        ("noise: {steps: [{kind: orc, rate: 1}]}\n", "CS-R006", "noise.steps[0].kind"),
        ("noise: {stesp: []}\n", "CS-R003", "noise.stesp"),
        ("noise: {steps: []}\n", "CS-R005", "noise.yaml:1"),
        ("nosie: {steps: []}\n", "CS-R003", "noise.yaml:1"),
        ("noise: [\n", "CS-R002", "noise.yaml"),
        ("- x\n", "CS-R002", "noise.yaml"),
    ],
)
def test_what_is_wrong_is_told(text: str, code: str, place: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_noise(write(tmp_path, text))
    assert caught.value.code == code, caught.value
    assert place in caught.value.place


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_noise(tmp_path / "none.yaml")
    assert caught.value.code == "CS-R001"


def test_items_become_steps_for_every_row() -> None:
    noise = parse_steps(["keyboard:0.03", "word_delete:heavy", "char_swap:1"]).noise
    assert noise.share == 1
    rates = [(step.kind, step.rate_of(None)) for step in noise.steps]  # type: ignore[union-attr]
    assert rates == [("keyboard", 0.03), ("word_delete", 0.2), ("char_swap", 1.0)]


@pytest.mark.parametrize(
    ("item", "code", "hint"),
    [
        ("keybord:0.1", "CS-R006", "keyboard"),
        (":0.1", "CS-R006", "choose"),
        ("", "CS-R006", "choose"),
        ("keyboard:2", "CS-R005", ""),
        ("keyboard:nan", "CS-R005", ""),
        ("keyboard:", "CS-R007", ""),
        ("keyboard:strong", "CS-R005", ""),
        ("keyboard", "CS-R007", ""),
        ("keyboard:" + "9" * 5000, "CS-R005", ""),
        ("plugin:0.1", "CS-R004", ""),
    ],
)
def test_a_wrong_item_is_told_with_itself(item: str, code: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_steps(["ocr:0.1", item])
    assert caught.value.code == code, caught.value
    assert caught.value.place.startswith(f"--step {item}"[:40])
    assert hint in caught.value.hint
