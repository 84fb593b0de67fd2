import { assertEquals } from "@std/assert";
import { NEEDS_PYTHON } from "./installed.ts";
import { testExecutables } from "./programs.ts";
import { run } from "./run.ts";

/** Text, JSON inside a line, control characters, bytes that are no UTF-8, no last newline. */
const INPUT = new Uint8Array([
  ...new TextEncoder().encode('plain\n{"a":"b\\n"}\r\n\n\t\u2028é𝄞\x1b[0m\n'),
  ...[0, 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 10, 0x65, 0x6e, 0x64],
]);

const MESSAGES = [
  "plain",
  '{"a":"b\\n"}\r',
  "",
  "\t\u2028é𝄞\x1b[0m",
  `\0${"\ufffd".repeat(6)}`,
  "end",
];

/** What Python's JSON parser reads, which shares nothing with the one of this test. */
async function readWithPython(lines: Uint8Array): Promise<unknown[]> {
  const python = new Deno.Command("python3", {
    args: ["-m", "json.tool", "--json-lines", "--compact"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = python.output();
  const writer = python.stdin.getWriter();
  await writer.write(lines);
  await writer.close();
  const { code, stdout } = await output;
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}

testExecutables("every JSON line can be read by another parser", async (program) => {
  for (const format of ["json-file", "ndjson", "elasticsearch-bulk"]) {
    const { code, stdout } = await run(program, ["--format", format], INPUT);
    assertEquals(code, 0);
    const objects = await readWithPython(stdout) as Record<string, string>[];
    const messages = objects.filter(({ create }) => create === undefined)
      .map(({ log, message }) => log?.replace(/\n$/, "") ?? message);
    assertEquals(messages, MESSAGES);
  }
}, NEEDS_PYTHON);

testExecutables("writes each format's own lines", async (program) => {
  for (
    const [format, line] of [
      ["cri", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z stdout F plain$/],
      ["local-syslog", /^<30>[A-Z][a-z]{2} [ 1-3]\d [\d:]{8} spillway\[\d+\]: plain$/],
      ["rfc5424", /^<30>1 \d{4}-\S+Z \S+ spillway \d+ stdout - plain$/],
    ] as const
  ) {
    const { code, stdout } = await run(program, ["--format", format], "plain\n");
    assertEquals(code, 0);
    assertEquals(line.test(new TextDecoder().decode(stdout).trimEnd()), true);
  }
});
