"""Attempts to leave the template sandbox, made through the command."""

from pathlib import Path

import pytest

from flows.cli import run

CANARY = "the-contents-of-a-secret-file"
ESCAPES = {
    "attribute": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "item": "{{ ''['__class__']['__base__'] }}",
    "attr-filter": "{{ ''|attr('__class__') }}",
    "attr-filter-in-parts": "{{ ''|attr('__cl' ~ 'ass__') }}",
    "map-attribute": "{{ ['']|map(attribute='__class__')|list|join }}",
    "map-filter": "{{ ['__class__']|map('attr', '__base__')|join }}",
    "groupby-attribute": "{% for k, v in ['']|groupby('__class__') %}{{ k }}{% endfor %}",
    "sort-attribute": "{{ ['a', 'b']|sort(attribute='__class__')|join }}",
    "selectattr": "{{ ['a']|selectattr('__class__.__base__')|list|join }}",
    "format-method": "{{ '{0.__class__.__init__.__globals__}'.format(label) }}",
    "format-map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "format-filter": "{{ '%s'|format(label) }}",
    "self": "{{ self._TemplateReference__context }}",
    "self-block": "{{ self.__init__.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "joiner": "{{ joiner.__init__.__globals__ }}",
    "namespace": "{{ namespace.__init__.__globals__ }}",
    "lipsum": "{{ lipsum.__globals__['os'].environ }}",
    "dict": "{{ dict.mro() }}",
    "range-globals": "{{ range.__globals__ }}",
    "loop-internals": "{% for i in [1] %}{{ loop._iterator.gi_frame }}{% endfor %}",
    "undefined-internals": "{{ nothing.__init__.__globals__ }}",
    "method-of-a-method": "{{ label.get.__self__.__class__ }}",
    "method-called-by-filter": "{{ [label.pop]|map('first')|join }}",
    "mutate": "{{ label.update({'name': 'x'}) }}",
    "set-attribute": "{% set label.name = 'x' %}",
    "include": "{% include 'secret.txt' %}",
    "include-above": "{% include '../../etc/passwd' %}",
    "import": "{% from 'secret.txt' import x %}{{ x }}",
    "extends": "{% extends 'secret.txt' %}",
    "huge-range": "{% for i in range(10**9) %}x{% endfor %}",
    "huge-range-literal": "{{ range(1000000000)|list|length }}",
    "huge-text": "{{ 'a' * 10**9 }}",
    "huge-list": "{{ ([0] * 10**9)|length }}",
    "huge-power": "{{ 10 ** 10 ** 10 }}",
    "huge-padding": "{{ 'a'.ljust(10000000000) }}",
    "huge-center": "{{ 'a'|center(10000000000) }}",
    "huge-format": "{{ '%10000000000d'|format(1) }}",
    "huge-indent": "{{ 'a\\nb'|indent(1000000000) }}",
    "huge-join": "{{ range(999)|join('a' ~ 'b'|replace('b', 'b' ~ 'c')) ~ 'x' * 99999999 }}",
    "huge-replace": "{% set a = 'aaaaaaaaaa' %}{% set b = a|replace('a', a)|replace('a', a) %}"
    "{{ b|replace('a', b) }}",
    "call-block": "{% call label.get() %}{% endcall %}",
    "filter-block": "{% filter upper %}x{% endfilter %}",
    "macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "recursive-loop": "{% for a in labels recursive %}{{ loop(labels) }}{% endfor %}",
    "debug": "{% debug %}",
    "do": "{% do label.clear() %}",
    "string-module": "{{ ''.join.__self__.__doc__.__class__ }}",
    "environment": "{{ label.__environ__ }}{{ environ }}",
    "config": "{{ config.items() }}",
}


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES)
def test_a_template_cannot_leave_its_sandbox(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret.txt").write_text(CANARY, encoding="utf-8")
    (tmp_path / "t.j2").write_text(f"line one\n{source}\n", encoding="utf-8")
    (tmp_path / "s.jsonl").write_text('{"text": "x"}', encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: a\nrows: 1\nlabels: {x: y}\nprompt: {template: t.j2}\n"
        "model: {backend: scripted, name: s.jsonl}\n",
        encoding="utf-8",
    )
    assert run(["preview", str(recipe)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(("error[CS-P002]", "error[CS-P003]", "error[CS-P004]"))
    assert f"  where: {tmp_path / 't.j2'}:2\n" in err
    for secret in (CANARY, "<class", "object at 0x", "environ({", "/usr/lib"):
        assert secret not in err


def test_what_a_row_holds_is_data_not_template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "{{ ''.__class__ }}{% include 'x' %}"
    (tmp_path / "e.jsonl").write_text(f'{{"text": "{evil}", "label": "x"}}', encoding="utf-8")
    (tmp_path / "s.jsonl").write_text(f'{{"text": "{evil}"}}', encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f'name: a\nrows: 1\nlabels: {{x: "{evil}"}}\nattributes: {{tone: ["{evil}"]}}\n'
        "prompt: {template: intent, examples: {path: e.jsonl, per_row: 1}}\n"
        "model: {backend: scripted, name: s.jsonl}\n",
        encoding="utf-8",
    )
    assert run(["preview", str(recipe), "--json"]) == 0
    assert capsys.readouterr().out.count(evil) >= 4
