"""Noise: seeded edits of texts, each logged so that the clean text can be had back.

One step is one operator over a whole batch: `buffers` holds the batch as one array of code points,
`units` finds what an operator may edit, the operator (one module a kind) answers with `splices`,
`texts` applies them.
"""
