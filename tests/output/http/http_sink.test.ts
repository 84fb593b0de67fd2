import { assertRejects } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { Wait } from "../../../src/output/wait.ts";
import { pump } from "../pump.ts";
import { HttpSink } from "../../../src/output/http/http_sink.ts";
import { replyKind } from "../../../src/output/http/reply_kinds.ts";

/** Answers whatever it is sent with the value of the header Authorization. */
async function echoAuthorization(listener: Deno.Listener): Promise<void> {
  using connection = await listener.accept();
  const bytes = new Uint8Array(4096);
  const count = await connection.read(bytes) ?? 0;
  const request = new TextDecoder().decode(bytes.subarray(0, count));
  const [, value] = /^Authorization: (.*)\r$/m.exec(request) ?? [];
  await connection.write(new TextEncoder().encode(`${value}\r\n`));
}

Deno.test("a reply that cannot be understood is quoted without the credentials in it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "s3cret-".repeat(20));
  const server = echoAuthorization(listener);
  const sink = new HttpSink("the server", {
    host: "127.0.0.1",
    port: listener.addr.port,
    authority: "localhost",
    path: "/",
    contentType: "text/plain",
    gzip: false,
    credentials: { scheme: "bearer", path },
    headers: undefined,
    timeoutMs: 10_000,
    replies: replyKind("raw"),
    shape: undefined,
    tls: undefined,
  });
  try {
    sink.write(
      new MarkerPiece(
        { label: "stdout", run: "a run", firstByte: 0 },
        ["a line\n"],
        false,
      ),
      0,
      new Wait(),
    );
    await assertRejects(
      async () => {
        await pump((_, wait) => {
          sink.tend(wait);
          return sink.settled;
        });
      },
      TemporaryError,
      'cannot be understood: found "Bearer …"',
    );
  } finally {
    sink.finish();
    await server;
    Deno.removeSync(path);
  }
});
