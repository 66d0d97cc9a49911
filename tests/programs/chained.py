def read(text):
    try:
        return int(text)
    except ValueError as error:
        raise LookupError("cause") from error


def handle(text):
    try:
        read(text)
    except LookupError:
        raise RuntimeError("context")


handle("x")
