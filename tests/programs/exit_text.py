import sys

sys.exit("a text that goes to stderr")
