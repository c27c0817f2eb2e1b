"""What a recipe names by a URI, fetched before anything reads it."""

from dataclasses import replace

from schemas.errors import CorpusmithError
from schemas.recipe_file import LoadedRecipe
from tasks.release.fetch import local_copy


def fetch_inputs(loaded: LoadedRecipe) -> LoadedRecipe:
    """Fetch examples and data of the audit that a recipe names by a URI.

    Recipes travel: what is written in one is read without credentials, so that a stranger's recipe
    cannot have private data read, and shown to an endpoint of its choice. What the command line
    names, with `--set`, is read with those of the environment.

    Raises:
        InputError: `CS-D005` if something cannot be fetched; the place is the recipe's line.
        RunError: `CS-D006` if a store does not answer.
    """
    fetched = {}
    for key, uri in loaded.uris().items():
        try:
            fetched[key] = local_copy(uri, anonymous=not loaded.trusts(key))
        except CorpusmithError as error:
            error.place = f"{loaded.place(key)}: {error.place}"
            raise
    return replace(loaded, fetched=fetched)
