"""The vocabulary: recipe, row, shard, gates, manifest, errors. Imports nothing of the project."""
