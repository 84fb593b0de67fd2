/** What the tests of NATS have in common. */

import { assertEquals } from "@std/assert";
import { NatsServer, needingNats } from "./nats_servers.ts";
import { type Program, testPrograms } from "./programs.ts";
import { inFolder, start } from "./run.ts";

/** A test with a server that runs. @param configure more of its configuration */
export function testNats(
  name: string,
  test: (program: Program, server: NatsServer, folder: string) => Promise<void>,
  configure: (folder: string) => Promise<string> = () => Promise.resolve(""),
): void {
  const { name: fullName, ignore } = needingNats(`nats: ${name}`);
  testPrograms(fullName, (program) =>
    inFolder(async (folder) => {
      const server = new NatsServer(folder, "one", await configure(folder));
      await server.server.start();
      try {
        await test(program, server, folder);
      } finally {
        await server.server.stop();
      }
    }), { ignore });
}

/** What is said of an output that does not work, and all else that was said. */
export async function failureOf(
  program: Program,
  output: string,
  env: Record<string, string> = {},
): Promise<{ message: string; stderr: string }> {
  const spillway = start(program, [
    ...["--output", output, "--drain-timeout", "0ms", "--report", "json"],
  ], env);
  await spillway.write("a\n");
  const report = await spillway.reported("a failure", (r) => r.event === "sink_failing");
  await spillway.end();
  assertEquals(await spillway.code, 4);
  return { message: report.message ?? "", stderr: await spillway.stderr };
}
