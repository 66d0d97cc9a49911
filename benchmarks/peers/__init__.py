"""The tracers that are compared, one a module: takes a mode, gives the benchmark's functions traced by it."""
