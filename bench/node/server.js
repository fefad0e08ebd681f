// A small chat as one writes it on Node: rooms over WebSocket, a row a message in PostgreSQL, Redis
// between processes. A message is stored, then published; each process encodes nothing again and
// sends the same bytes to all sockets of the room.

import { createServer } from "node:http";
import pg from "pg";
import { createClient } from "redis";
import { WebSocketServer } from "ws";

const database = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const publisher = await createClient({ url: process.env.REDIS_URL }).connect();
const subscriber = await publisher.duplicate().connect();

// By room, its sockets here and the promise that Redis tells of it.
const rooms = new Map();

await database.query(
  `CREATE TABLE IF NOT EXISTS messages (
    id bigserial PRIMARY KEY,
    room text NOT NULL,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
);

const INSERT = {
  name: "insert",
  text: "INSERT INTO messages (room, content) VALUES ($1, $2) RETURNING id",
};
const OK = '{"type":"ok"}';
const HELLO = '{"type":"hello"}';
const AS_TEXT = { binary: false };

function enter(name, socket) {
  let room = rooms.get(name);
  if (!room) {
    const sockets = new Set();
    const deliver = (bytes) => {
      for (const one of sockets) one.send(bytes, AS_TEXT);
    };
    room = { sockets, isHeard: subscriber.subscribe(name, deliver, true) };
    rooms.set(name, room);
  }
  room.sockets.add(socket);
  return room.isHeard;
}

async function leave(name, socket) {
  const room = rooms.get(name);
  room.sockets.delete(socket);
  if (room.sockets.size === 0) {
    rooms.delete(name);
    await subscriber.unsubscribe(name);
  }
}

async function post(name, socket, frame) {
  try {
    const { message } = JSON.parse(frame);
    await database.query({ ...INSERT, values: [name, message] });
    socket.send(OK);
    await publisher.publish(name, JSON.stringify({ message }));
  } catch (error) {
    console.error(error);
    socket.send('{"type":"error"}');
  }
}

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on("connection", async (socket, request) => {
  const name = request.url;
  socket.on("message", (frame) => post(name, socket, frame));
  socket.on("close", () => leave(name, socket));
  socket.on("error", () => socket.terminate());
  await enter(name, socket);
  socket.send(HELLO);
});
http.listen(Number(process.env.PORT), "127.0.0.1");
