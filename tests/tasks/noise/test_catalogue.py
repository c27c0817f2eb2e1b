from tasks.noise.catalogue import catalogue, meaning_of, step_classes, unit_of


def test_every_kind_says_what_it_does_and_what_its_parameters_mean() -> None:
    kinds = catalogue()
    assert [kind.kind for kind in kinds] == list(step_classes())
    for kind in kinds:
        assert kind.meaning.endswith("."), kind.kind
        for parameter in kind.parameters:
            assert parameter.meaning, (kind.kind, parameter.name)


def test_what_an_operator_cites_is_its_source() -> None:
    [keyboard] = [kind for kind in catalogue() if kind.kind == "keyboard"]
    assert any("arxiv.org" in source for source in keyboard.sources)
    assert keyboard.has_rate
    assert {parameter.name for parameter in keyboard.parameters} == {"layout"}


def test_an_unknown_kind_has_no_meaning_and_counts_by_words() -> None:
    assert (meaning_of("mine"), unit_of("mine")) == ("", "word")
    assert unit_of("keyboard") == "character"
