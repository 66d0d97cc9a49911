"""A module with examples.

>>> double(2)
4
"""
import doctest


def double(number):
    """Double a number.

    >>> double(3)
    6
    >>> double("a")
    'ab'
    """
    return number * 2


print(__doc__, double.__doc__)
help(double)
print(doctest.testmod())
