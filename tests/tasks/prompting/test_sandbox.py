import tracemalloc

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.exceptions import SecurityError

from tasks.prompting.sandbox import (
    FILTER_NAMES,
    MAX_CHARS,
    MAX_ROUNDS,
    ForbiddenNode,
    UnknownVariable,
    compile_template,
    reset_rounds,
    unknown_name,
)

VALUES = {
    "word": "abc",
    "words": ["x", "y", "z"],
    "pairs": {"k": "v", "w": "u"},
    "items": [{"name": "n", "size": 1}, {"name": "m", "size": 2}],
}


def render(source: str) -> str:
    reset_rounds()
    compiled = compile_template(source, filename="t.j2", variables=tuple(VALUES))
    return compiled.render(VALUES)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ word }}", "abc"),
        ("{{ word|upper }}{{ word.upper() }}", "ABCABC"),
        ("{{ words|join(', ') }}", "x, y, z"),
        ("{{ word ~ '-' ~ 1 ~ word }}", "abc-1abc"),
        ("{{ word|upper ~ (words|first ~ 'q') }}", "ABCxq"),
        ("{% if word ~ 'd' == 'abcd' %}yes{% else %}no{% endif %}", "yes"),
        ("{{ 'a' + 'b' }}{{ 1 + 2 }}{{ 3 - 1 }}{{ -1 }}", "ab32-1"),
        (
            "{% for w in words %}{{ w }}{{ ';' if not loop.last }}{% endfor %}",
            "x;y;z",
        ),
        ("{% for w in words %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/3 2/3 3/3 "),
        ("{% for w in words if w != 'y' %}{{ w }}{% else %}none{% endfor %}", "xz"),
        ("{% for k, v in pairs.items() %}{{ k }}={{ v }} {% endfor %}", "k=v w=u "),
        ("{% for k, v in pairs|items %}{{ k }}={{ v }} {% endfor %}", "k=v w=u "),
        ("{% for w in words %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{{ items|map(attribute='name')|join }}", "nm"),
        ("{{ items[0].name }}{{ items[1]['name'] }}{{ words[1:]|join }}", "nmyz"),
        ("{{ pairs.get('zz', 'none') }}{{ pairs.zz|default('d') }}", "noned"),
        ("{{ ' a \n b '|one_line }}", "a b"),
        ("{{ 'aXbX'|replace('X', 'yy') }}", "ayybyy"),
        ("{% set a = word %}{{ a }}{{ 'in' if 'b' in word else 'out' }}", "abcin"),
        ("{{ '{{ word }}' }}{{ '<b>&' }}", "{{ word }}<b>&"),
        ("a\n{% if true %}\nb\n{% endif %}\n  {% if true %}\nc\n  {% endif %}\nd\n", "a\nb\nc\nd"),
    ],
)
def test_what_a_prompt_needs_works(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize("name", FILTER_NAMES)
def test_every_listed_filter_exists(name: str) -> None:
    compile_template(f"{{{{ word|{name} }}}}", filename="t.j2", variables=("word",))


@pytest.mark.parametrize(
    "name", ["random", "attr", "tojson", "format", "center", "safe", "pprint", "counted"]
)
def test_a_filter_that_is_not_listed_does_not_exist(name: str) -> None:
    with pytest.raises(jinja2.TemplateAssertionError):
        render(f"{{{{ word|{name} }}}}")


@pytest.mark.parametrize(
    "source",
    [
        "{% macro f() %}{% endmacro %}",
        "{% call word() %}{% endcall %}",
        "{% block a %}{% endblock %}",
        "{% filter upper %}a{% endfilter %}",
        "{% include word %}",
        "{% from 'a' import b %}",
        "{% set a %}x{% endset %}",
        "{% set word.x = 1 %}",
        "{% for w in words recursive %}{{ loop(words) }}{% endfor %}",
        "{{ word * 3 }}",
        "{{ 2 ** 3 }}",
        "{{ '%s' % word }}",
        "{{ 1 / 2 }}",
        "{{ 1 // 2 }}",
        "{% for w in words %}{% if word * 2 %}{% endif %}{% endfor %}",
    ],
)
def test_a_statement_that_is_not_listed_is_refused(source: str) -> None:
    with pytest.raises(ForbiddenNode) as caught:
        render(source)
    assert caught.value.args[1] == 1


@pytest.mark.parametrize(
    "source",
    [
        "{{ word.__class__ }}",
        "{{ word['__class__'] }}",
        "{{ words|map(attribute='__class__')|list|first }}",
        "{{ range.__globals__ }}",
        "{{ word.format(1) }}",
        "{{ word.join(words) }}",
        "{{ word.ljust(99) }}",
        "{{ words.append('x') }}",
        "{{ pairs.clear() }}",
        "{{ word() }}",
        "{{ words }}",
        "{{ pairs }}",
        "{{ none }}",
        "{{ word.upper }}",
        "{{ [words]|join }}",
        "{{ word ~ words }}",
        "{% for i in range(1001) %}{% endfor %}",
        "{{ 'x'|replace('', word|replace('', word)) and words|map('replace', '', words) }}",
    ],
)
def test_an_escape_is_refused_when_it_runs(source: str) -> None:
    with pytest.raises(SecurityError):
        render(source)


@pytest.mark.parametrize("source", ["{{ self }}", "{{ lipsum }}", "{{ cycler }}", "{{ dict() }}"])
def test_jinjas_globals_do_not_exist(source: str) -> None:
    with pytest.raises(UnknownVariable):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = 'x' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
        "{% set a = ['x'] %}" + "{% set a = a + a %}" * 40,
        "{% set a = 'x' %}" + "{% set a = [a, a]|join %}" * 40,
        "{% set a = 'xx' %}" + "{% set a = a|replace('x', a) %}" * 40,
        "{% set a = 'xxxxxxxx' %}" + "{% set a = a|replace('', a) %}" * 9,
        "{% set a = range(1000)|join(range(1000)|join) %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
    ],
)
def test_growth_is_bounded(source: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SecurityError):
            render(source)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_rounds_count_for_one_rendering() -> None:
    source = "{% for a in range(700) %}{% for b in range(100) %}{% endfor %}{% endfor %}done"
    assert 700 * 100 + 700 < MAX_ROUNDS < 2 * 700 * 100
    assert render(source) == render(source) == "done"


def test_one_text_may_be_as_long_as_the_bound() -> None:
    compiled = compile_template("{{ a }}", filename="t.j2", variables=("a",))
    assert compiled.render(a="x" * MAX_CHARS) == "x" * MAX_CHARS
    with pytest.raises(SecurityError):
        compiled.render(a="x" * (MAX_CHARS + 1))


def test_an_unknown_name_is_suggested() -> None:
    assert unknown_name("lable", ["label", "labels", "x"]) == (
        "there is no 'lable'; did you mean \"label\"? there is: label, labels, x"
    )
    assert unknown_name("x", []) == "there is no 'x'; there is: nothing"


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_a_value_is_never_run(value: str) -> None:
    compiled = compile_template("[{{ a }}]", filename="t.j2", variables=("a",))
    assert compiled.render(a=value) == f"[{value}]"
