"""Turns tracing.toml, a table of pyproject.toml or a dict into one checked Config, or into every mistake in it."""
