"""Row-level quality: gates that reject a candidate and the scores that a release carries."""
