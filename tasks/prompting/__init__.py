"""Prompting: sandboxed templates, few-shot examples, and the prompts rendered from both."""
