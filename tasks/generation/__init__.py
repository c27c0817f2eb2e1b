"""Generation: backends that turn prompts into completions, and the engine that drives them."""
