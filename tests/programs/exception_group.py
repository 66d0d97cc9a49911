import builtins

Group = getattr(builtins, "ExceptionGroup", None)


def fail(number):
    raise ValueError(f"number {number}")


def gather():
    errors = []
    for number in range(3):
        try:
            fail(number)
        except ValueError as error:
            errors.append(error)
    raise Group("several", errors) if Group else errors[0]


gather()
