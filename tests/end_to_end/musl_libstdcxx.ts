/**
 * A libstdc++ for musl, made from Debian's, which has none: only those objects of
 * its static library that a program asks for, and what these take from glibc
 * written from scratch. It replaces Alpine's `libstdc++` and `libgcc` where those
 * cannot be had. Needs Debian's g++ and binutils.
 */

const FROM_GLIBC = `
#include <pthread.h>
#include <sys/random.h>
void *__dso_handle __attribute__((visibility("hidden"))) = 0;
char __libc_single_threaded = 0;
int __pthread_key_create(pthread_key_t *key, void (*destroy)(void *)) {
  return pthread_key_create(key, destroy);
}
unsigned int arc4random(void) {
  unsigned int bits;
  getrandom(&bits, sizeof bits, 0);
  return bits;
}
int _dl_find_object(void *address, void *result) { return -1; }
`;

/** What C++ programs take from libstdc++ and libgcc, by how it is called. */
const NAMES =
  /^(_Z(TV|TI|St|NS|NK)|__cxa|_Unwind|__(de)?register_frame|__once|__dynamic)/;

/** Makes `folder/libstdc++.so.6` for this program. */
export async function makeLibstdcxx(program: string, folder: string): Promise<void> {
  const archive = await output("g++", ["-print-file-name=libstdc++.a"]);
  const gcc = archive.trim().replace(/libstdc..\.a$/, "");
  await Deno.writeTextFile(`${folder}/from_glibc.c`, FROM_GLIBC);
  const symbols = await output("readelf", ["--dyn-syms", "--wide", program]);
  const wanted = symbols.split("\n").map((line) => line.trim().split(/\s+/)[7] ?? "")
    .map((name) => name.replace(/@.*/, "")).filter((name) => NAMES.test(name));
  await output("gcc", [
    ...["-shared", "-nostdlib", "-fPIC", "-Wl,-soname,libstdc++.so.6"],
    ...[...new Set(wanted)].map((name) => `-Wl,-u,${name}`),
    ...["-o", `${folder}/libstdc++.so.6`, `${folder}/from_glibc.c`, "-Wl,--start-group"],
    ...["libstdc++.a", "libgcc_eh.a", "libgcc.a"].map((name) => gcc + name),
    "-Wl,--end-group",
  ]);
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
