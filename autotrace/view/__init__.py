"""Draws traces for people."""
