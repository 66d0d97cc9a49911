"""What uvicorn serves."""

from benchmarks.apps.served import tracing  # isort: skip
from benchmarks.apps import fastapi_shop

app = tracing.fastapi(fastapi_shop.app)
