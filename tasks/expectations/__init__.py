"""Great Expectations: a suite derived from the recipe, its result, and Data Docs that open offline.

Importing this package does not import Great Expectations; validating does.
"""
