// What the vendor's guide describes, with `ws`: per call a socket from Twilio and one to the speech
// service; every message is parsed, and audio is sent on as a media message.
//
//   NODE_PATH=… node peer.js SPEECH_PORT     prints the port it listens on
const { createServer } = require("node:http");
const WebSocket = require("ws");

const speech = `ws://127.0.0.1:${process.argv[2]}/text_to_speech/websocket/ws?api_key=k&version=v1`;
const server = createServer((request, response) => response.writeHead(404).end());
const calls = new WebSocket.Server({ server, path: "/media-stream", perMessageDeflate: false });

calls.on("connection", (phone) => {
  let streamSid = null;
  let service = null;

  const say = () => service.send(JSON.stringify({ transcript: "Hello. ", context_id: "call", force: true }));

  const speak = () => {
    service = new WebSocket(speech, { perMessageDeflate: false });
    service.on("open", () => {
      const output_format = { container: "raw", encoding: "pcm_mulaw", sample_rate: 8000 };
      service.send(JSON.stringify({ model_id: "async_flash_v1.0", voice: { mode: "id", id: "v" }, output_format }));
      say();
    });
    service.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.audio && phone.readyState === WebSocket.OPEN) {
        phone.send(JSON.stringify({ event: "media", streamSid, media: { payload: message.audio } }));
      }
      if (message.final) say();
    });
    service.on("error", (error) => console.error(error.message));
  };

  phone.on("message", (data) => {
    const message = JSON.parse(data);
    switch (message.event) {
      case "start":
        streamSid = message.start.streamSid;
        speak();
        break;
      case "media": // nobody listens to the callee
      case "mark":
        break;
      case "stop":
        service?.close();
        break;
    }
  });
  phone.on("close", () => service?.close());
});

server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
