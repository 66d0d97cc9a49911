"""The docstring of the program."""
import sys

print(list(globals()), sorted(dir()))
for name in ("__name__", "__doc__", "__package__", "__file__", "__cached__", "__annotations__", "__builtins__"):
    print(name, repr(globals().get(name, "absent")))
print("__loader__", type(__loader__), getattr(__loader__, "name", None), getattr(__loader__, "path", None))
print("__spec__", __spec__)
print(sys.argv, sys.path, sys.flags)
print(sys.modules["__main__"].__dict__ is globals(), sys.modules["__main__"])
answer: int = 42
print(__annotations__)
