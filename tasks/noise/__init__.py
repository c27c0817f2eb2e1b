"""Noise: seeded edits of texts, each logged so that the clean text can be had back.

A step works on a whole batch at once and never on one text: `strings` and `batch` hold the texts as
one array of code points, `units` finds what an operator may edit, `dice` draws, the operator (one
module a kind) answers with `splices`, which make the next batch, the `edit_log` and the new places
of `spans`. `protect` says what no step may touch; `texts` runs the steps.
"""
