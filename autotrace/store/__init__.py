"""Writes finished spans into the local SQLite file and reads traces back."""
