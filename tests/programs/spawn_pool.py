import multiprocessing


def double(number):
    return number * 2


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(double, range(5)), double.__module__)
