import pickle
from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.recipe_file import TEMPLATE, check_inside, load_recipe

GOOD = "name: x\nrows: 5\nlabels: {a: says a, yes: agrees, 1: counts}\n"


def write(folder: Path, text: str = GOOD) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_keep_their_names_and_order(tmp_path: Path) -> None:
    assert list(load_recipe(write(tmp_path)).recipe.labels) == ["a", "yes", "1"]


def test_the_folder_is_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    loaded = load_recipe(Path("recipe.yaml"))
    assert loaded.folder == tmp_path.resolve()
    assert loaded.place(("rows",)) == "recipe.yaml:2 rows"


def test_a_loaded_recipe_can_be_pickled(tmp_path: Path) -> None:
    loaded = load_recipe(write(tmp_path), overrides=["rows=7"])
    assert pickle.loads(pickle.dumps(loaded)) == loaded


def test_an_empty_file_is_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty"):
        load_recipe(write(tmp_path, ""), overrides=["rows=5"])


def test_similar_files_are_suggested(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(InputError) as caught:
        load_recipe(tmp_path / "recipes.yaml")
    assert 'did you mean "recipe.yaml"?' in caught.value.hint


@pytest.mark.parametrize("name", ["/dev/null", "/dev/zero"])
def test_a_device_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="not a regular file"):
        load_recipe(Path(name))


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger than 1 MiB"):
        load_recipe(write(tmp_path, GOOD + "#" * (1 << 20)))


def test_a_path_must_stay_inside(tmp_path: Path) -> None:
    folder = (tmp_path / "inner").resolve()
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "good.txt").symlink_to(folder / "target.txt")
    assert check_inside(folder, "good.txt") == folder / "target.txt"
    assert check_inside(folder, "a/../b.txt") == folder / "b.txt"
    for name in (
        "../outside.txt",
        "link.txt",
        "~/x",
        str(folder / "target.txt"),
        "a\0b",
        "x" * 5000,
    ):
        with pytest.raises(InputError) as caught:
            check_inside(folder, name, place="here")
        assert (caught.value.code, caught.value.place) == ("CS-R008", "here")


def test_an_absolute_path_may_come_from_the_command_line(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    folder = tmp_path / "inner"
    folder.mkdir()
    item = f"prompt.template={outside}"
    loaded = load_recipe(write(folder), overrides=[item])
    assert loaded.inside(TEMPLATE, str(outside)) == outside.resolve()
    nested = load_recipe(write(folder), overrides=[f"prompt={{template: {outside}}}"])
    assert nested.inside(TEMPLATE, str(outside)) == outside.resolve()
    with pytest.raises(InputError):
        load_recipe(write(folder, GOOD + f"prompt: {{template: {outside}}}\n"))
    with pytest.raises(InputError):
        load_recipe(write(folder), overrides=["prompt.template=../outside"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("starter", None),
        ("gpt2", None),
        ("organisation/model", None),
        ("local", "local"),
        ("organisation/here", "organisation/here"),
        ("./absent", "absent"),
        ("no hub id", "no hub id"),
        ("a/b/c", "a/b/c"),
    ],
)
def test_a_model_is_a_hub_id_or_a_folder(tmp_path: Path, name: str, expected: str | None) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "organisation" / "here").mkdir(parents=True)
    loaded = load_recipe(write(tmp_path), overrides=[f"model.name={name}"])
    wanted = None if expected is None else tmp_path.resolve() / expected
    assert loaded.model_path() == wanted


def test_a_script_is_a_path(tmp_path: Path) -> None:
    item = "model={backend: scripted, name: replies.jsonl}"
    assert load_recipe(write(tmp_path), overrides=[item]).model_path() == (
        tmp_path.resolve() / "replies.jsonl"
    )


def test_false_is_no_number_but_a_choice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a number"):
        load_recipe(write(tmp_path), overrides=["strategies=[{kind: greedy, share: true}]"])
    loaded = load_recipe(
        write(tmp_path), overrides=["gates.row.chars=false", "budget.allow_shortfall=true"]
    )
    assert loaded.recipe.gates.row.chars is None
