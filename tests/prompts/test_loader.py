import pytest

from prompts import QUESTIONS, label_descriptions, read_template, template_names
from tasks.prompting.templates import QUESTION_VARIABLES, VARIABLES, Question, Template


def test_templates_are_listed() -> None:
    assert template_names() == ("instruct", "intent", "pairs", "rewrite")


@pytest.mark.parametrize("name", template_names())
def test_every_template_says_what_it_is_for_and_compiles(name: str) -> None:
    text = read_template(name)
    assert text.startswith("{# For ")
    Template(name, text, f"prompts/{name}.j2").check()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_says_what_it_is_for_and_compiles(name: str) -> None:
    assert name not in template_names()
    text = read_template(name)
    assert text.startswith("{# For ")
    Question(name, text, f"prompts/{name}.j2").check()


@pytest.mark.parametrize("name", ["absent", "../recipes/init/prompt", "labels"])
def test_only_a_listed_name_is_read(name: str) -> None:
    with pytest.raises(KeyError):
        read_template(name)


def test_every_label_has_descriptions() -> None:
    descriptions = label_descriptions()
    assert descriptions["banking77/card_arrival"]
    for label, ways in descriptions.items():
        assert "/" in label
        assert all(isinstance(way, str) and way.strip() == way != "" for way in ways), label


def test_the_variables_are_documented() -> None:
    assert set(VARIABLES) == {"label", "labels", "attributes", "examples", "language"}
    assert set(QUESTION_VARIABLES) - set(VARIABLES) == {"text"}
