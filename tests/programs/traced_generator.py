import sys

events = []


def record(frame, event, argument):
    if frame.f_code.co_filename == __file__:
        events.append((event, frame.f_code.co_name, frame.f_lineno))
        return record
    return None


def evens(count):
    for number in range(count):
        yield number * 2


sys.settrace(record)
sum(evens(3))
sys.settrace(None)
print(*events, sep="\n")
