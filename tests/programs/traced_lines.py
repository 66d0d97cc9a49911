import sys

events = []


def record(frame, event, argument):
    if frame.f_code.co_filename == __file__:
        events.append((event, frame.f_code.co_name, frame.f_lineno))
        return record
    return None


def total(numbers):
    result = 0
    for number in numbers:
        if number % 2:
            result += number
    return result


def evens(count):
    for number in range(count):
        yield number * 2


def fail():
    try:
        raise ValueError
    except ValueError:
        pass
    finally:
        total([1])


sys.settrace(record)
total(evens(3))
fail()
sys.settrace(None)
print(*events, sep="\n")
