"""WHAT corpusmith does: verb modules are Prefect tasks, noun packages are pure engine."""
