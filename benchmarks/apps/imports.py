"""What a usual service imports before its first line; nothing else happens."""

import sqlite3

import flask
import redis
import requests

__all__ = ["flask", "redis", "requests", "sqlite3"]
