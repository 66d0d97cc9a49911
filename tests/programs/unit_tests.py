import unittest


def double(number):
    return number * 2


class DoubleTest(unittest.TestCase):
    def test_double(self):
        self.assertEqual(double(2), 4)

    def test_wrong(self):
        self.assertEqual(double(2), 5)

    def test_error(self):
        double(None)


if __name__ == "__main__":
    unittest.main(verbosity=2)
