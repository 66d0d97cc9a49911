import sys

print(sys.flags, sys.path, sys.warnoptions, sys._xoptions, sys.stdout.line_buffering, sys.stdout.write_through)
print(sys.stdin.encoding, sys.getfilesystemencoding(), __debug__)
assert not sys.argv[1:], "with an argument"
import faulthandler

print(faulthandler.is_enabled())
