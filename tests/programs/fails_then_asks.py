value = 17


def fail():
    raise ValueError("before the prompt")


fail()
