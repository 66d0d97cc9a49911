"""Takes kept local roots to exporters: bounded, batched, on one background thread."""
