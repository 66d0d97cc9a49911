"""A peer at work: takes `PEER MODE FOLDER`, then one case a line on stdin, gives what each cost, one line on stdout.

Lines are JSON: `{"case": "sync", "seconds": 0.15}` is answered by the fields of `benchmarks.loops`, or by `{"error": ...}`.
The first answer, `{}`, says that the peer is set up and its current span was right whenever asked.
"""
