import sys

for number in range(100000):
    print(number)
sys.stdout.flush()
