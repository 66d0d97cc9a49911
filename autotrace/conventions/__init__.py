"""Turns the fields of a call into OpenTelemetry attributes, one module a semantic family."""
