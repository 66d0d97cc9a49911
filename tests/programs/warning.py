import warnings


def old():
    warnings.warn("old is deprecated", DeprecationWarning, stacklevel=2)
    return (1 is 1)


old()
print("after the warning")
