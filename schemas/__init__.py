"""The vocabulary: recipe, row, shard, verdict, manifest, errors. Imports nothing else of the project."""
