"""Tracing that code declares itself: takes functions, classes and messages, gives them back traced."""
