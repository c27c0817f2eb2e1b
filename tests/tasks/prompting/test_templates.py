import hashlib
import pickle
from pathlib import Path
from typing import Any

import pytest

from prompts import read_template
from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from tasks.prompting.templates import Template, load_template

VALUES: dict[str, Any] = {
    "label": {"name": "a", "description": "says a"},
    "labels": [{"name": "a", "description": "says a"}],
    "attributes": {"tone": "warm"},
    "examples": [],
    "language": "en",
}


def load(folder: Path, template: str, *overrides: str) -> Template:
    path = folder / "recipe.yaml"
    path.write_text(f"name: x\nrows: 1\nlabels: {{a: b}}\nprompt: {{template: {template}}}\n")
    return load_template(load_recipe(path, overrides=overrides))


def error_of(source: str) -> InputError:
    with pytest.raises(InputError) as caught:
        Template("t", source, "t.j2").render(VALUES)
    return caught.value


def test_a_shipped_template_is_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "intent").write_text("another")
    template = load(tmp_path, "intent")
    assert template.source == read_template("intent")
    digest = hashlib.sha256(template.source.encode()).hexdigest()
    assert template.sha256 == digest
    assert template.reference == f"intent@{digest[:12]}"


def test_a_template_beside_the_recipe_is_found_by_path(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.j2").write_text("Say {{ label.name }}\n")
    template = load(tmp_path, "sub/mine.j2")
    assert template.name == "mine.j2"
    assert template.render(VALUES) == "Say a"


def test_a_name_with_a_spelling_error_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "mine.j2").write_text("x")
    with pytest.raises(InputError) as caught:
        load(tmp_path, "mine.j3")
    assert 'did you mean "mine.j2"?' in caught.value.hint
    with pytest.raises(InputError, match="'intents' does not exist") as caught:
        load(tmp_path, "intents")
    assert 'did you mean "intent"?' in caught.value.hint


def test_an_absolute_path_may_come_from_the_command_line(tmp_path: Path) -> None:
    outside = tmp_path / "outside.j2"
    outside.write_text("x")
    (tmp_path / "inner").mkdir()
    template = load(tmp_path / "inner", "intent", f"prompt.template={outside}")
    assert template.render(VALUES) == "x"


def test_a_template_can_be_pickled() -> None:
    template = Template("t", "{{ label.name }}", "t.j2")
    template.render(VALUES)
    assert pickle.loads(pickle.dumps(template)).render(VALUES) == "a"


def test_the_line_of_a_runtime_error_is_named() -> None:
    error = error_of("a\nb\n{% if true %}\n{{ 1 + label.name }}\n{% endif %}")
    assert (error.code, error.place) == ("CS-P002", "t.j2:4")


def test_an_unknown_variable_names_those_there_are() -> None:
    error = error_of("a\n{{ lable }}")
    assert (error.code, error.place) == ("CS-P003", "t.j2:2")
    assert error.message == "there is no 'lable'"
    assert error.hint.startswith('did you mean "label"? there is: attributes, examples, label')


def test_an_unknown_attribute_names_those_there_are() -> None:
    error = error_of("{{ attributes.tome }}")
    assert (error.code, error.message) == ("CS-P003", "there is no 'tome'")
    assert error.hint == 'did you mean "tone"? there is: tone'


def test_an_unknown_index_is_an_unknown_variable() -> None:
    error = error_of("{{ examples[3].text }}")
    assert error.code == "CS-P003"
    assert error.hint


@pytest.mark.parametrize(
    "source", ["(" * 5000, "{{ " + "(" * 5000, "{% if a %}" * 200, "{{ [" * 999]
)
def test_deep_nesting_is_not_a_crash(source: str) -> None:
    if source.startswith("(("):
        assert Template("t", source, "t.j2").render(VALUES) == source
    else:
        assert error_of(source).code == "CS-P002"


def test_valid_but_deep_nesting_is_not_a_crash() -> None:
    depth = 60
    source = "{% for a in labels %}" * depth + "x" + "{% endfor %}" * depth
    assert error_of(source).code == "CS-P002"


def test_a_long_prompt_is_refused() -> None:
    error = error_of("{% for i in range(700) %}" + "x" * 100 + "{% endfor %}")
    assert error.code == "CS-P004"
    assert "longer than 65,536 characters" in error.message


def test_a_failed_rendering_leaves_nothing_behind() -> None:
    loops = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}"
    assert error_of(loops).code == "CS-P004"
    assert (
        Template("t", "{% for l in labels %}{{ l.name }}{% endfor %}", "t.j2").render(VALUES) == "a"
    )
