"""A service on asyncio. loop.py PORT BACKEND: listens on PORT, answers by itself."""
import asyncio
import sys


async def serve(reader, writer):
    while line := await reader.readline():
        if line != b"\r\n":
            continue
        await asyncio.sleep(0.002)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
