"""The starter model: a small language model that ships with the product, and the code that made it.

The folder holds the weights (`model.safetensors`, float16), the tokenizer, the fingerprints of the
texts it was trained on (`training_index.npy`), the record of the training (`training.json`), the
measured figures (`evaluation.json`) and the model card. Importing this package loads none of them.
"""

from pathlib import Path

STARTER_FOLDER: Path = Path(__file__).parent
"""Folder that `transformers` can load model and tokenizer from, without a network."""
