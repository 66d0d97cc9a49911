import asyncio
import contextvars

request = contextvars.ContextVar("request", default="none")


async def produce(count):
    for number in range(count):
        await asyncio.sleep(0)
        yield number


async def handle(name):
    request.set(name)
    total = 0
    async for number in produce(3):
        total += number
    return name, request.get(), total


async def fail():
    await asyncio.sleep(0)
    raise LookupError("in a task")


async def main():
    print(await asyncio.gather(handle("a"), handle("b"), fail(), return_exceptions=True), request.get())
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except asyncio.TimeoutError:
        print("timed out")
    await fail()


asyncio.run(main())
