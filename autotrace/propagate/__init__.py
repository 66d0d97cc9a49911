"""Carries a trace context into headers, message properties and SQL comments, and out of them."""
