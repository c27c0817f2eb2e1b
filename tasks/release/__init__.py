"""The release folder: splits, Parquet, card, manifest, checksums, and the rename that publishes."""
