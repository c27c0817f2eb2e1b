"""WHEN things happen: flows order the tasks and know retries, concurrency and artifacts.

No maths, no file formats.
"""
