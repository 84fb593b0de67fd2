import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { InputError } from "../../src/errors.ts";
import { FifoFolder, type FolderReader } from "../../src/input/fifo_folder.ts";
import { IN_ATTRIB, IN_CREATE, IN_DELETE, Inotify } from "../../src/system/inotify.ts";
import { mkfifo } from "../../src/system/names.ts";
import { inFolder } from "../end_to_end/run.ts";

/** A reader that takes so many. */
class ToldReader implements FolderReader {
  readonly create = false;
  readonly taken: string[] = [];
  readonly looks: string[] = [];
  readonly notices: string[] = [];
  room = Infinity;
  /** What another reader has. */
  readonly locked = new Set<string>();

  get hasRoom(): boolean {
    return this.taken.length < this.room;
  }

  take(_folder: FifoFolder, { name }: { name: string }, opensAtOnce: boolean) {
    if (!this.hasRoom) return `no room for ${name}`;
    if (opensAtOnce && this.locked.has(name)) throw new InputError(`${name} is locked`);
    this.taken.push(name);
    return { lookSoon: () => void this.looks.push(name) };
  }

  onNotice(about: string, message: string): void {
    this.notices.push(`${about}: ${message}`);
  }
}

function inFifoFolder(
  test: (folder: FifoFolder, reader: ToldReader, path: string) => void,
): Promise<void> {
  return inFolder((path) => {
    const inotify = new Inotify();
    const reader = new ToldReader();
    const folder = new FifoFolder(path, inotify, reader);
    test(folder, reader, path);
    inotify.close();
    return Promise.resolve();
  });
}

Deno.test("when too much has happened at once, all names are looked at", () =>
  inFifoFolder((folder, reader, path) => {
    mkfifo(`${path}/a`, 0o600);
    folder.start();
    assertEquals(reader.taken, ["a"]);
    // Of these no event comes: the queue has run over.
    mkfifo(`${path}/b`, 0o600);
    Deno.removeSync(`${path}/a`);
    folder.scan();
    assertEquals(reader.taken, ["a", "b"]);
    assertEquals(reader.looks, ["a"], "it finds out that it has gone");
  }));

Deno.test("what could not be read is looked at again when the folder's mode has changed", () =>
  inFifoFolder((folder, reader, path) => {
    Deno.chmodSync(path, 0o1777);
    mkfifo(`${path}/a`, 0o600);
    folder.start();
    folder.ended("a", false);
    folder.refuse("a", "it belongs to another user");
    folder.onEvent("", IN_DELETE);
    assertEquals(reader.taken, ["a"]);
    folder.onEvent("", IN_ATTRIB);
    assertEquals(reader.taken, ["a", "a"]);
  }));

Deno.test("a pipe that waits for another to go is named once, and taken when there is room", () =>
  inFifoFolder((folder, reader, path) => {
    reader.room = 1;
    mkfifo(`${path}/a`, 0o600);
    folder.start();
    mkfifo(`${path}/b`, 0o600);
    folder.onEvent("b", IN_CREATE);
    folder.onEvent("b", IN_CREATE);
    folder.retryWaiting();
    assertEquals(reader.notices, ["b: no room for b"]);
    reader.room = 2;
    folder.retryWaiting();
    assertEquals(reader.taken, ["a", "b"]);
  }));

Deno.test("a pipe that is refused is not tried again before something happens to it", () =>
  inFifoFolder((folder, reader, path) => {
    mkfifo(`${path}/a`, 0o600);
    folder.start();
    folder.refuse("a", "it is the output");
    folder.retryWaiting();
    folder.look();
    assertEquals(reader.taken, ["a"]);
    folder.onEvent("a", IN_CREATE);
    folder.refuse("a", "it is the output");
    assertEquals(reader.taken, ["a", "a"]);
    assertEquals(reader.notices, ["a: it is the output"]);
  }));

Deno.test("a pipe that another reader has is taken when that has let it go", () =>
  inFifoFolder((folder, reader, path) => {
    mkfifo(`${path}/a`, 0o600);
    folder.start();
    for (const times of [1, 2]) {
      // When its lane has come.
      reader.locked.add("a");
      folder.failed("a", "a is locked");
      folder.ended("a", false);
      folder.look();
      folder.look();
      assertEquals(reader.taken.length, times);
      assertEquals(reader.notices, Array(times).fill("a: a is locked"));
      reader.locked.delete("a");
      folder.look();
      folder.look();
      assertEquals(reader.taken.length, times + 1);
    }
  }));

Deno.test("a name that is not UTF-8 is forgotten when it goes", () =>
  inFifoFolder((folder, reader) => {
    folder.start();
    const notUtf8 = "b\uFFFDd";
    folder.onEvent(notUtf8, IN_CREATE);
    folder.onEvent(notUtf8, IN_CREATE);
    assertEquals(reader.notices.length, 1);
    folder.onEvent(notUtf8, IN_DELETE);
    assertEquals(reader.notices.length, 1);
    // As one that has never been there.
    folder.onEvent(notUtf8, IN_CREATE);
    assertEquals(reader.notices.length, 2);
  }));

Deno.test("what is no folder is refused at the start", () =>
  inFifoFolder((_folder, reader, path) => {
    Deno.writeTextFileSync(`${path}/file`, "");
    const file = new FifoFolder(`${path}/file`, new Inotify(), reader);
    const { message } = assertThrows(() => file.start(), InputError);
    assertMatch(message, /not a folder but a regular file/);
  }));
