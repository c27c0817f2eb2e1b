"""Which people a corpus speaks of, in what company, and what a model makes of it."""
