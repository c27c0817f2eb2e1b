"""Runnable recipes as data, and the files from which `corpusmith init` starts a new one."""

from importlib.resources import files


def init_files() -> dict[str, str]:
    """Return the files of a new recipe's folder: file name to text."""
    folder = files(__package__).joinpath("init")
    names = ("recipe.yaml", "prompt.j2", "examples.jsonl")
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}
    schema = files("schemas").joinpath("recipe.schema.json")
    return texts | {"recipe.schema.json": schema.read_text(encoding="utf-8")}
