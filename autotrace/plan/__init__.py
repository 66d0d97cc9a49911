"""Turns a Config and the integrations into one Plan: which place is traced, and how; plain frozen data."""
