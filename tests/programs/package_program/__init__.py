import sys

print("parent imported first", sys.argv)
