"""The least that speaks over the WebSocket: what one writes without asyncflow, by the service's own
documents. `first_audio` runs it as a process of its own.

https://docs.async.com/text-to-speech-websocket-3477526w0
"""

import asyncio
import base64
import json
import os
import sys

from websockets.asyncio.client import connect

VOICE = "e0f39dc4-f691-4e78-bba5-5c636692cc04"


async def main(text: str) -> None:
    address = os.environ["ASYNC_BASE_URL"].replace("http", "ws", 1)
    query = f"api_key={os.environ['ASYNC_API_KEY']}&version=v1"
    async with connect(f"{address}/text_to_speech/websocket/ws?{query}") as socket:
        form = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 44100}
        voice = {"mode": "id", "id": VOICE}
        begin = {"model_id": "async_flash_v1.0", "voice": voice, "output_format": form}
        await socket.send(json.dumps(begin))
        await socket.send(json.dumps({"transcript": f"{text} ", "context_id": "c", "force": True}))
        await socket.send(json.dumps({"transcript": "", "context_id": "c"}))
        async for message in socket:
            event = json.loads(message)
            if event.get("audio"):
                sys.stdout.buffer.write(base64.b64decode(event["audio"]))
                sys.stdout.buffer.flush()
            if event.get("final"):
                break
        await socket.send(json.dumps({"terminate": True}))


asyncio.run(main(sys.argv[1]))
