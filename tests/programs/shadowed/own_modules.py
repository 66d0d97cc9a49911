import queue

import json
import sqlite3
import tomli

print(queue.__file__, sqlite3.__spec__.origin, json.__name__)
