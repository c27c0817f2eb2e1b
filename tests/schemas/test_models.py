from pathlib import Path

import pytest
import yaml

from schemas.errors import InputError
from schemas.models import Price
from schemas.recipe_file import load_recipe

MODEL = {"backend": "openai", "name": "m", "base_url": "https://host/v1"}
GOOD = {"name": "r", "rows": 1, "labels": {"a": "says a"}, "model": MODEL}


def write(folder: Path, **model: object) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "model": {**MODEL, **model}}))
    return path


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({"base_url": "https://me:hunter22@host/v1"}, "hunter22"),
        ({"base_url": "https://host/v1?api_key=hunter22"}, "hunter22"),
        ({"base_url": "https://host/v1#hunter22"}, "hunter22"),
        ({"api_key_env": "sk-Hunter22"}, "Hunter22"),
        ({"api_key_env": "gsk_hunter22"}, "hunter22"),
        ({"api_key": "hunter22"}, "hunter22"),
    ],
)
@pytest.mark.parametrize("by", ["file", "--set"])
def test_a_key_or_password_in_a_recipe_is_refused_and_not_shown(
    changes: dict[str, str], secret: str, by: str, tmp_path: Path
) -> None:
    path = write(tmp_path, **(changes if by == "file" else {}))
    overrides = [f"model.{key}={value!r}" for key, value in changes.items() if by == "--set"]
    with pytest.raises(InputError) as caught:
        load_recipe(path, overrides=overrides)
    error = caught.value
    assert error.code in ("CS-R003", "CS-R005")
    assert secret not in f"{error.message}{error.place}{error.hint}"
    assert error.__cause__ is None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "https://api.example.com", "http://a/b/"],
)
def test_addresses(url: str, tmp_path: Path) -> None:
    model = load_recipe(write(tmp_path, base_url=url)).recipe.model
    assert getattr(model, "base_url") == url  # noqa: B009 - a union of models


@pytest.mark.parametrize("url", ["http://a:65536/v1", "http://[::1]:99999"])
def test_a_port_that_cannot_be_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_recipe(write(tmp_path, base_url=url))
    assert caught.value.code.startswith("CS-R")
    assert "65535" in caught.value.message
    assert load_recipe(write(tmp_path, base_url="http://a:65535/v1"))


@pytest.mark.parametrize("key", ["temperature", "max_tokens", "seed", "response_format", "stream"])
def test_extra_cannot_change_what_the_recipe_says(key: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_recipe(write(tmp_path, extra={key: 1}))
    assert key in caught.value.message


def test_an_endpoint_has_no_path(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, name="../../etc/passwd")).model_path() is None


def test_a_price_is_a_million_tokens() -> None:
    assert Price(prompt=0.15, completion=0.6).usd(
        prompt_tokens=2_000_000, completion_tokens=500_000
    ) == pytest.approx(0.6)
