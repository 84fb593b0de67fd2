import { assertEquals } from "@std/assert";
import { formatHostPort, parseHostPort } from "../src/host_port.ts";

for (const text of ["logs.example.org:6514", "10.0.0.1:1", "[::1]:65535"]) {
  Deno.test(`${text} is written as it was read`, () => {
    assertEquals(formatHostPort(parseHostPort(text)), text);
  });
}
