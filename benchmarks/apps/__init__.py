"""The programs that are measured: a small shop, served with Flask and with FastAPI, and how each peer traces it."""
