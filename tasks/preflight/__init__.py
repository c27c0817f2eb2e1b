"""Preflight: everything that can be checked, and opened, before the first text is generated."""
