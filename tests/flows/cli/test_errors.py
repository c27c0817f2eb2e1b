import pytest

from flows.cli import run
from flows.cli.errors import show_error, unexpected_error
from schemas.errors import InputError


def test_a_block_has_three_lines_whatever_the_parts_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = "x\nerror[CS-X001]: fake\x1b[2J\r\u202e"
    show_error(InputError(fake, code="CS-R001", place=fake, hint=fake))
    out, err = capsys.readouterr()
    assert out == ""
    assert [line[:9] for line in err.splitlines()] == ["error[CS-", "  where: ", "  to do: "]
    assert err.replace("\n", "").isprintable()
    assert r"x\nerror[CS-X001]: fake\x1b[2J\r\u202e" in err


def test_parts_that_say_nothing_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(InputError("m", code="CS-R001"))
    assert capsys.readouterr().err == "error[CS-R001]: m\n"


def test_an_unexpected_error_says_what_to_report() -> None:
    error = unexpected_error(ZeroDivisionError("division by zero"))
    assert (error.code, error.message) == ("CS-X001", "ZeroDivisionError: division by zero")
    assert "--debug" in error.hint


def test_a_full_disk_is_named() -> None:
    error = unexpected_error(OSError(28, "No space left on device", "x.parquet"))
    assert (error.code, error.place) == ("CS-O004", "x.parquet")
    assert unexpected_error(OSError(5, "Input/output error")).code == "CS-X001"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["chekc"], "no such command 'chekc'", "did you mean `check`? `corpusmith --help`"),
        (["bogus"], "no such command 'bogus'", "`corpusmith --help` shows what it takes"),
        (
            ["generate", "x", "--rezume=auto"],
            "there is no option --rezume",
            "did you mean `--resume`? `corpusmith generate --help`",
        ),
        (["check", "x", "--jsn"], "there is no option --jsn", "did you mean `--json`?"),
        (["--versoin"], "there is no option --versoin", "did you mean `--version`?"),
        (["check", "x", "-q"], "there is no option -q", "`corpusmith check --help`"),
        (["check"], "missing argument 'RECIPE'", "`corpusmith check --help`"),
        (["preview", "x", "-n", "0"], "must be at least 1", "`corpusmith preview --help`"),
        (["preview", "x", "-n", "5000"], "must be at most 1000", "`corpusmith preview --help`"),
        (["preview", "x", "-n", "ten"], "must be a whole number", "`corpusmith preview --help`"),
        (["generate", "x", "--resume", "no"], "not one of 'auto', 'never', 'always'", "generate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_slip_on_the_command_line(
    arguments: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    first, where, to_do = capsys.readouterr().err.splitlines()
    assert first.startswith("error[CS-I001]: ")
    assert message in first
    assert where.startswith("  where: ")
    assert hint in to_do
