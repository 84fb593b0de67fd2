import { assertEquals, assertRejects } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { readReply } from "../../../src/output/http/http_reply.ts";

const MAX_BODY_BYTES = 1000;
const encoder = new TextEncoder();

/** A connection that brings these bytes, at most so many at a time, and ends. */
function bringing(text: string, atATime: number) {
  const bytes = encoder.encode(text);
  let at = 0;
  return {
    get unread(): number {
      return bytes.length - at;
    },
    read(): Promise<Uint8Array | undefined> {
      const part = bytes.subarray(at, at + atATime);
      at += part.length;
      return Promise.resolve(part.length === 0 ? undefined : part);
    },
  };
}

async function read(text: string, atATime = 7) {
  const reply = await readReply(bringing(text, atATime), MAX_BODY_BYTES);
  const { status, reason, bodyIsWhole, reusable } = reply;
  const body = new TextDecoder().decode(reply.body);
  return { status, reason, body, bodyIsWhole, reusable };
}

const whole = { status: 200, reason: "OK", bodyIsWhole: true, reusable: true };
const full = "x".repeat(MAX_BODY_BYTES);

const UNDERSTOOD: [reply: string, expected: Record<string, unknown>][] = [
  ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", { ...whole, body: "ok" }],
  ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", { ...whole, body: "" }],
  ["HTTP/1.1 204\r\n\r\n", { ...whole, status: 204, reason: "", body: "" }],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length:2\n\nok", {
    ...whole,
    body: "ok",
  }],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nA: b\r\n\r\n",
    { ...whole, body: "ok" },
  ],
  ["HTTP/1.1 200 OK\r\nConnection: te, Close\r\nContent-Length: 2\r\n\r\nok", {
    ...whole,
    body: "ok",
    reusable: false,
  }],
  ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", {
    ...whole,
    body: "ok",
    reusable: false,
  }],
  ["HTTP/1.1 200 OK\r\n\r\nto the end", {
    ...whole,
    body: "to the end",
    reusable: false,
  }],
  // As much as is read, and one byte more.
  [`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${full}`, { ...whole, body: full }],
  [`HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n${full}y`, {
    ...whole,
    body: full,
    bodyIsWhole: false,
    reusable: false,
  }],
  [`HTTP/1.1 200 OK\r\n\r\n${full}y`, {
    ...whole,
    body: full,
    bodyIsWhole: false,
    reusable: false,
  }],
  [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${full}\r\n1\r\ny\r\n`, {
    ...whole,
    body: full,
    bodyIsWhole: false,
    reusable: false,
  }],
];

Deno.test("a connection with more than the reply on it carries no other request", async () => {
  for (const more of ["\r\n", "HTTP/1.1 500 Internal Server Error\r\n\r\n"]) {
    const reply = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${more}`;
    assertEquals(await read(reply, 10_000), { ...whole, body: "ok", reusable: false });
  }
});

Deno.test("a body without a length ends where the connection breaks", async () => {
  const connection = bringing("HTTP/1.1 200 OK\r\n\r\nto the end", 10_000);
  const read = () =>
    connection.unread > 0
      ? connection.read()
      : Promise.reject(new TemporaryError("no close_notify"));
  const { status, body } = await readReply({ read }, MAX_BODY_BYTES);
  assertEquals([status, new TextDecoder().decode(body)], [200, "to the end"]);
});

for (const [reply, expected] of UNDERSTOOD) {
  Deno.test(`understands ${JSON.stringify(reply.slice(0, 100))}`, async () => {
    for (const atATime of [1, 7, 10_000]) {
      assertEquals(await read(reply, atATime), expected);
    }
  });
}

const NOT_UNDERSTOOD: [reply: string, found: string][] = [
  ["", "the end of the connection"],
  ["220 mail.example.org ESMTP\r\n", '"220 mail.example.org ESMTP"'],
  ["HTTP/2 200\r\n\r\n", '"HTTP/2 200"'],
  ["HTTP/1.1 200 OK\r\nno header\r\n\r\n", 'a header "no header"'],
  ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 'a content-length of "-1"'],
  ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "the end of the connection"],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    "the end of the connection",
  ],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\n",
    'a chunk size of "xy"',
  ],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokok\r\n",
    "a chunk without an end",
  ],
  ["HTTP/1.1 100 Continue\r\n\r\n".repeat(17), "too many provisional replies"],
  [`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(257)}`, "too many headers"],
  [`HTTP/1.1 200 ${"x".repeat(17_000)}`, "a line without an end"],
];

for (const [reply, found] of NOT_UNDERSTOOD) {
  Deno.test(`does not understand ${JSON.stringify(reply.slice(0, 100))}`, async () => {
    await assertRejects(() => read(reply), TemporaryError, `found ${found}`);
  });
}

Deno.test("leaves an endless body unread", async () => {
  const connection = bringing(`HTTP/1.1 200 OK\r\n\r\n${full.repeat(100)}`, 100);
  const { status } = await readReply(connection, MAX_BODY_BYTES);
  assertEquals(status, 200);
  assertEquals(connection.unread > 90_000, true);
});

Deno.test("reads a long reply in a time that grows with its length, not the square", async () => {
  // In pieces as small as these, copying what is there for each of them would move
  // half a terabyte.
  const bytes = 16 * 1024 * 1024;
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`;
  const { body } = await readReply(bringing(text, 256), bytes);
  assertEquals(body.length, bytes);
});
