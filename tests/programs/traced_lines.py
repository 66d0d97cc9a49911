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


def fail():
    try:
        raise ValueError
    except ValueError:
        pass
    finally:
        total([1])


sys.settrace(record)
total([0, 1, 2])
fail()
sys.settrace(None)
print(*events, sep="\n")
