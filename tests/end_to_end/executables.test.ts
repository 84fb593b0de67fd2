import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { EXECUTABLES, testPrograms } from "./programs.ts";

const LOCK = new URL("../../deno.lock", import.meta.url);

testPrograms("carries no package beside what is bundled", async ({ command }) => {
  const executable = Buffer.from(await Deno.readFile(command[0]!));
  const { npm } = JSON.parse(await Deno.readTextFile(LOCK));
  const carried = Object.keys(npm).filter((id) => executable.includes(id));
  assertEquals(carried, []);
}, { programs: EXECUTABLES });
