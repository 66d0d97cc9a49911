"""Decides, when a local root ends, whether its spans are kept."""
