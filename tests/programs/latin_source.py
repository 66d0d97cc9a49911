# -*- coding: latin-1 -*-
name = "café"
print(ascii(name))


def fail():
    raise ValueError(ascii("é"))


fail()
