import multiprocessing
from concurrent.futures import ProcessPoolExecutor


def double(number):
    return number * 2


def fail(number):
    raise ValueError(number)


if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        print(list(pool.map(double, range(5))))
        print(repr(pool.submit(fail, 1).exception()))
