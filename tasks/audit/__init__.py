"""One judgement out of many measures: what quality and bias find, in the words of `schemas.audit`.

The measures know nothing of each other. A module here for each `Group` asks them, adds intervals,
baselines and the rows that show what is meant, and returns a `Section`.
"""
