"""The recipe of the page on structured output runs, with a script in place of the model."""

import json
import re
from pathlib import Path

import yaml

from tasks.preflight.checks import check_recipe
from tasks.preflight.sample import sample_rows

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "structured-output.md"
REPLIES = [
    {"stars": 4, "review": "the soup was warm and the bread was fresh"},
    {"stars": "2", "review": "we waited long for cold noodles"},
    {"stars": 7, "review": "everything about this place is great"},
]


def test_the_recipe_of_the_page_makes_rows(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(name:.*?)```", page, re.DOTALL)
    assert block is not None
    recipe = yaml.safe_load(block.group(1))
    recipe["model"] = {"backend": "scripted", "name": "script.jsonl"}
    lines = [json.dumps({"text": json.dumps(reply)}) for reply in REPLIES]
    (tmp_path / "script.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    rows = sample_rows(check_recipe(tmp_path / "recipe.yaml"), 20)
    seen = {(row["text"], row["attributes"].get("stars")) for row in rows if not row["detail"]}
    assert seen
    assert seen <= {(str(reply["review"]), str(reply["stars"])) for reply in REPLIES[:2]}
    details = {row["detail"] for row in rows if row["reason"] == "output_invalid"}
    assert details == {"stars: 7 is greater than the maximum of 5"}
    assert details.pop() in page
