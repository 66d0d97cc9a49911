"""The commands of `autotrace`, one module each."""
