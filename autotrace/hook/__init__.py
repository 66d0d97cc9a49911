"""Takes a Plan into the import system: modules come out of it woven or patched."""
