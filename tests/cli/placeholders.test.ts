import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { expand, namedFolders } from "../../src/cli/placeholders.ts";
import { UsageError } from "../../src/errors.ts";

const WEB = { host: () => "node-7", id: () => "web-1", namespace: () => "k8s.io" };

const EXPANDED: readonly (readonly [string, string])[] = [
  ["/logs/{namespace}/{id}.log", "/logs/k8s.io/web-1.log"],
  ["{id}{id}", "web-1web-1"],
  ["nats://h/logs.{host}", "nats://h/logs.node-7"],
  ["/logs/app.log", "/logs/app.log"],
  ["", ""],
];

for (const [template, expanded] of EXPANDED) {
  Deno.test(`"${template}" becomes "${expanded}"`, () => {
    assertEquals(expand(template, WEB), expanded);
  });
}

const UNSAFE: readonly (readonly [string, string])[] = [
  [".", "%2E"],
  ["..", "%2E%2E"],
  ["...", "..."],
  ["../../etc/cron.d/x", "..%2F..%2Fetc%2Fcron.d%2Fx"],
  ["a/b", "a%2Fb"],
  ["a%2Fb", "a%252Fb"],
  ["a\nb\u001b", "a%0Ab%1B"],
  ["{id}", "%7Bid%7D"],
];

for (const [id, name] of UNSAFE) {
  Deno.test(`something called ${JSON.stringify(id)} gets a file of its own`, () => {
    assertEquals(expand("/logs/{id}", { ...WEB, id: () => id }), `/logs/${name}`);
  });
}

Deno.test("no two names share a file, and none leaves its folder", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(fc.property(name, name, (one, two) => {
    const [first, second] = [one, two].map((id) =>
      expand("{id}", { ...WEB, id: () => id })
    );
    assert(first === second ? one === two : one !== two);
    assert(!/[/\p{Cc}]|^\.{0,2}$/u.test(first!), first);
  }));
});

Deno.test("a name in braces that is not known is refused", () => {
  assertThrows(
    () => expand("/logs/{name}", WEB),
    UsageError,
    "{name} is not known; {host}, {id} and {namespace} are",
  );
  assertThrows(
    () => expand("/logs/{id}", { host: WEB.host }),
    UsageError,
    "{id} is not known; only {host} is",
  );
  assertThrows(() => expand("/{toString}", WEB), UsageError, "{toString} is not known");
});

const FOLDERS: readonly (readonly [string, readonly string[]])[] = [
  ["/logs/{id}.log", []],
  ["{id}.log", []],
  ["/logs/{namespace}/{id}.log", ["/logs/k8s.io"]],
  ["/{namespace}/logs/{id}/x", ["/k8s.io", "/k8s.io/logs", "/k8s.io/logs/web-1"]],
  ["{id}/x", ["web-1"]],
];

for (const [template, folders] of FOLDERS) {
  Deno.test(`"${template}" needs the folders ${JSON.stringify(folders)}`, () => {
    assertEquals(namedFolders(template, WEB), folders);
  });
}
