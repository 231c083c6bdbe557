"""A service on asyncio. tasks.py PORT BACKEND: says in the URLs of its calls and in its answers whose they are."""
import asyncio
import itertools
import sys

PORT, BACKEND = int(sys.argv[1]), int(sys.argv[2])
numbers = itertools.count(1)
# The loop itself keeps its tasks by weak references.
held = set()


async def call(kind, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", BACKEND)
    writer.write(f"GET /call?{kind}={number} HTTP/1.1\r\nHost: b\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def branch(number):
    await asyncio.gather(call("grandchild", number))


async def serve(reader, writer):
    held.add(asyncio.current_task())
    while line := await reader.readline():
        if line != b"\r\n":
            continue
        number = next(numbers)
        await call("own", number)
        await asyncio.gather(call("child", number), call("child", number), branch(number))
        writer.write(f"HTTP/1.1 200 OK\r\nX-Request: {number}\r\nContent-Length: 5\r\n\r\nhello".encode())
        await writer.drain()
    writer.close()


async def tick():
    while True:
        await asyncio.sleep(0.005)
        await asyncio.gather(call("nobody", 0))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    ticking = asyncio.create_task(tick())
    print("ready", flush=True)
    await asyncio.gather(server.serve_forever(), ticking)


asyncio.run(main())
