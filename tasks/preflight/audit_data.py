"""What the audit of a release reads, checked before the first text is generated."""

from pathlib import Path

from schemas.audit_gates import require_known
from schemas.errors import InputError
from schemas.recipe_file import LoadedRecipe
from tasks.audit.reading import Choice, check_columns


def check_audit(loaded: LoadedRecipe) -> None:
    """Check that the recipe's audit can read its data and knows the metrics of its gates.

    Raises:
        InputError: `CS-D001` to `CS-D003` for data that cannot be read, `CS-R006` for a gate on a
            metric that no audit measures; the place is the recipe's line.
    """
    for role, path in loaded.audit_paths().items():
        try:
            check_columns(path, Choice())
        except InputError as error:
            error.place = loaded.place(("audit", role))
            raise
    if gates := loaded.recipe.gates.audit:
        # Measuring nothing takes a second: only a recipe with bounds of its own pays.
        from tasks.audit.sections import known_metrics

        try:
            require_known(gates, known_metrics(), Path(loaded.path))
        except InputError as error:
            error.place = loaded.place(("gates", "audit"))
            raise
