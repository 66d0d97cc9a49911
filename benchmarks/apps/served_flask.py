"""What gunicorn serves."""

from benchmarks.apps.served import tracing  # isort: skip
from benchmarks.apps import flask_shop

app = tracing.flask(flask_shop.app)
