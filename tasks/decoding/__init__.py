"""Decoding: truncation, sampling, length and stopping; pure theory on tensors, no model and no tokenizer."""
