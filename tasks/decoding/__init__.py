"""Decoding: truncation, sampling, length, stopping; theory on tensors, no model, no tokenizer."""
