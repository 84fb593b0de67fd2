/** Changes to the program that would hurt, and where a test must notice each. */

export interface Mutant {
  readonly file: string;
  /** What is in the file, exactly once, and what replaces it. */
  readonly from: string;
  readonly to: string;
  /** Folders of the tests that should notice, the first to be tried first. */
  readonly tests: readonly string[];
  /** Why no test can notice: what it does is right, too. */
  readonly harmless?: string;
}

const CONSUMER = "src/lane/ring_consumer.ts";
const PRODUCER = "src/lane/ring_producer.ts";
const FRAMES = "src/lane/frame_space.ts";
const DOORBELL = "src/threads/doorbell.ts";
const FRAMER = "src/input/line_framer.ts";
const LANDING = "src/input/landing.ts";
const LOOP = "src/input/input_loop.ts";
const ROUNDS = "src/input/read_loop.ts";
const DELIVERY = "src/output/delivery.ts";
const OUTLET = "src/output/outlet.ts";
const QUEUE = "src/output/outlet_queue.ts";
const COUNTERS = "src/lane/lane_counters.ts";

const RING_TESTS = ["model", "lane"];
/** The model kills both ends anywhere. */
const KILL_TESTS = ["model"];
const INPUT_TESTS = ["input", "model"];
const OUTPUT_TESTS = ["output"];

export const MUTANTS: readonly Mutant[] = [
  // The consumer.
  {
    file: CONSUMER,
    from: "return this.#atomics.compareExchange(this.#tailAt, tail, position) === tail;",
    to: "this.#atomics.store(this.#tailAt, position); return true;",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "this.#hold(tail, next) && this.#claim(tail, next)",
    to: "this.#hold(tail, next) && (this.#claim(tail, next) || true)",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from:
      "      const tail = this.#atomics.load(this.#tailAt);\n      const head = this.#atomics.load(this.#headAt);\n      if",
    to:
      "      const head = this.#atomics.load(this.#headAt);\n      const tail = this.#atomics.load(this.#tailAt);\n      if",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "Math.min((head - tail) * UNIT, this.#ring.ringBytes)",
    to: "(head - tail) * UNIT",
    tests: RING_TESTS,
    harmless: "a walk past one round reads frames twice, but only where the tail " +
      "has moved on, so that the claim fails",
  },
  {
    file: CONSUMER,
    from: "walked < available &&",
    to: "walked <= available &&",
    tests: RING_TESTS,
    harmless: "no frame fits the 0 bytes that are left, so the walk ends there, too",
  },
  {
    file: CONSUMER,
    from: "length > available ||",
    to: "length >= available ||",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "batch.bytes + bytes > this.#ring.handBytes",
    to: "batch.bytes + bytes >= this.#ring.handBytes",
    tests: ["lane"],
  },
  {
    file: CONSUMER,
    from: "batch.frames > 0 && (!isNext || time > untilTime)",
    to: "batch.frames > 0 && time > untilTime",
    tests: ["lane", "model"],
  },
  {
    file: CONSUMER,
    from: "time > untilTime)",
    to: "time >= untilTime)",
    tests: ["lane"],
  },
  {
    file: CONSUMER,
    from: "if (startsInside && walk.gapBytes > 0) {",
    to: "if (startsInside && missing > 0) {",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "walk.gapLines = walk.gapBytes = 0;",
    to: "walk.gapBytes = 0;",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "    walk.copyFrom(this.#place);\n",
    to: "",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "if (batch.end && batch.frames === 0) this.#startBatch();",
    to: "",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "if (this.#claim(tail, tail)) throw",
    to: "if (this.#atomics.load(this.#tailAt) >= tail) throw",
    tests: RING_TESTS,
  },
  {
    file: CONSUMER,
    from: "        this.#frameLimit = 1;\n",
    to: "",
    tests: RING_TESTS,
    harmless: "a copy that is overtaken is tried again, only with less hope",
  },
  {
    file: CONSUMER,
    from: "this.#atomics.compareExchange(this.#roomAt, 1, 0) === 1",
    to: "true",
    tests: RING_TESTS,
  },
  // The producer.
  {
    file: PRODUCER,
    from: "const found = this.#atomics.compareExchange(this.#tailAt, tail, next);",
    to: "this.#atomics.store(this.#tailAt, next); const found = tail;",
    tests: RING_TESTS,
  },
  {
    file: PRODUCER,
    from: "if (!this.#makeRoom(frameLength(bytes) + HEADER_BYTES))",
    to: "if (!this.#makeRoom(frameLength(bytes)))",
    tests: RING_TESTS,
  },
  {
    file: PRODUCER,
    from: "while (this.#free < needed)",
    to: "while (this.#free <= needed)",
    tests: ["lane"],
  },
  {
    file: PRODUCER,
    from: "while (this.#free < needed)",
    to: "while (this.#free < needed - UNIT)",
    tests: RING_TESTS,
  },
  {
    file: PRODUCER,
    from: "if (this.#free >= needed) return true;",
    to: "if (this.#free > needed) return true;",
    tests: RING_TESTS,
    harmless: "it only looks once more where the tail is",
  },
  {
    file: PRODUCER,
    from: "      this.#moveTail(found);",
    to: "      this.#moveTail(next);",
    tests: RING_TESTS,
    harmless: "the consumer has come at least as far: it only looks once more",
  },
  {
    file: PRODUCER,
    from: "      this.#pushed.overwrittenLines += lines;\n",
    to: "      this.#pushed.overwrittenLines = lines;\n",
    tests: ["lane", "model"],
  },
  {
    file: PRODUCER,
    from: "      this.#count(bytes, lines);\n",
    to: "",
    tests: RING_TESTS,
  },
  {
    file: PRODUCER,
    from: "    this.#space.copyIn(frame, from, bytes);\n    view.setUint32",
    to:
      "    this.#atomics.store(this.#headAt, this.#head + frameLength(bytes) / UNIT);\n" +
      "    this.#space.copyIn(frame, from, bytes);\n    view.setUint32",
    tests: RING_TESTS,
  },
  {
    file: PRODUCER,
    from: "    pushed.overwrittenLines = 0;\n",
    to: "    pushed.overwrittenLines = 0;\n" +
      "    this.#space.copyIn(this.#headOffset, from, bytes);\n",
    tests: RING_TESTS,
  },
  {
    file: PRODUCER,
    from: "if (bytes > this.maxPayloadBytes)",
    to: "if (bytes >= this.maxPayloadBytes)",
    tests: ["lane"],
  },
  {
    file: PRODUCER,
    from: "    return 2 * this.#free < this.#ring.ringBytes;",
    to: "    return 2 * this.#free <= this.#ring.ringBytes;",
    tests: ["lane"],
    harmless: "whether half full is crowded is a matter of taste, and a hint",
  },
  {
    file: PRODUCER,
    from: "    this.#atomics.store(this.#ring.at + ROOM, 1);",
    to: "",
    tests: RING_TESTS,
  },
  // Offsets and numbers.
  {
    file: FRAMES,
    from: "next < this.#ringEnd",
    to: "next <= this.#ringEnd",
    tests: RING_TESTS,
  },
  {
    file: FRAMES,
    from:
      "    if (first < bytes) this.#kernels.copy(to + first, this.#ringAt, bytes - first);",
    to: "",
    tests: RING_TESTS,
  },
  {
    file: "src/lane/count64.ts",
    from: "Math.floor(low / TWO_32)",
    to: "0",
    tests: ["lane"],
  },
  // The doorbell.
  {
    file: DOORBELL,
    from: "    this.#atomics.signal(this.#counter);\n",
    to: "",
    tests: ["model", "threads"],
  },
  {
    file: DOORBELL,
    from: "    this.#atomics.or(this.#words, word, bit);\n    this.#wake();\n",
    to: "    this.#wake();\n    this.#atomics.or(this.#words, word, bit);\n",
    tests: ["model", "threads"],
  },
  {
    file: DOORBELL,
    from: "& bit) !== 0) return;\n    this.#atomics.or(",
    to: "& bit) !== 0) return this.#wake();\n    this.#atomics.or(",
    tests: ["threads"],
  },
  {
    file: DOORBELL,
    from: "    this.#atomics.store(this.#words, SLEEPING, 1);\n",
    to: "",
    tests: ["model", "threads"],
  },
  {
    file: DOORBELL,
    from:
      "      if (this.#atomics.load(this.#words, word) !== this.#muted[word]) return false;\n",
    to: "",
    tests: ["model", "threads"],
  },
  {
    file: DOORBELL,
    from: "exchange(this.#words, word, muted) & ~muted",
    to: "exchange(this.#words, word, 0)",
    tests: ["threads"],
  },
  {
    file: DOORBELL,
    from: "    this.#atomics.and(this.#words, word, ~bit);\n",
    to: "",
    tests: ["threads"],
  },
  // The queue of outlets.
  {
    file: QUEUE,
    from: "      this.#doorbell.unmute(place.plate);\n",
    to: "",
    tests: ["simulation", "output"],
  },
  {
    // An output that takes nothing delays those after it.
    file: QUEUE,
    from: "      onResting(place);\n",
    to: "      onResting(place);\n      if (!place.outlet.wantsLines) break;\n",
    tests: ["output"],
  },
  {
    file: QUEUE,
    from: "if (!place.outlet.wantsLines) this",
    to: "this",
    tests: ["simulation", "output"],
  },
  {
    file: QUEUE,
    from: "if (place.dueMs <= nowMs) this",
    to: "if (place.dueMs < nowMs) this",
    tests: ["simulation", "output"],
  },
  // The framer and the input's loop.
  {
    file: FRAMER,
    from: "      this.#producer.requestRoom();\n",
    to: "",
    tests: ["model", "input"],
  },
  {
    file: FRAMER,
    from:
      "      this.#producer.requestRoom();\n      pushed = this.#producer.push(at, to - from, lines, flags, oldestMicros);",
    to:
      "      pushed = this.#producer.push(at, to - from, lines, flags, oldestMicros);\n      this.#producer.requestRoom();",
    tests: ["model", "input"],
  },
  {
    file: FRAMER,
    from: "const tooLong = landing.filled - landing.whole > this.#maxLineBytes;",
    to: "const tooLong = landing.filled - landing.whole >= this.#maxLineBytes;",
    tests: INPUT_TESTS,
    harmless: "whole lines are pushed a little earlier, and the cut is made elsewhere",
  },
  {
    file: FRAMER,
    from: "while (landing.filled - from > this.#maxLineBytes",
    to: "while (landing.filled - from >= this.#maxLineBytes",
    tests: INPUT_TESTS,
  },
  {
    file: FRAMER,
    from: "lineEnd - from <= this.#maxLineBytes + 1",
    to: "lineEnd - from <= this.#maxLineBytes",
    tests: INPUT_TESTS,
  },
  {
    file: FRAMER,
    from:
      "      const counted = landing.count(to);\n      if (counted > 0) this.#countIn(counted);\n",
    to: "",
    tests: INPUT_TESTS,
  },
  {
    file: LANDING,
    from: "this.#whole = Math.max(to, this.#whole);",
    to: "this.#whole = to;",
    tests: INPUT_TESTS,
  },
  {
    file: FRAMER,
    from: "    this.#landing.inside = unfinished;",
    to: "",
    tests: INPUT_TESTS,
  },
  {
    file: FRAMER,
    from:
      "    if (this.#landing.inside) this.#producer.close(1, STARTS_INSIDE, nowMicros);\n    else ",
    to: "    ",
    tests: INPUT_TESTS,
  },
  {
    file: FRAMER,
    from: "      this.#onLoss();\n",
    to: "",
    tests: INPUT_TESTS,
  },
  {
    file: LOOP,
    from: "Math.min(this.framer.room, this.#remainingBytes)",
    to: "this.framer.room",
    tests: INPUT_TESTS,
  },
  {
    file: LOOP,
    from: "      this.#remainingBytes -= count;\n",
    to: "",
    tests: INPUT_TESTS,
  },
  {
    file: LOOP,
    from: "    if (this.framer.blocked) return;\n    this.framer.close",
    to: "    this.framer.close",
    tests: INPUT_TESTS,
  },
  {
    file: ROUNDS,
    from: "    if (woken) this.#context.takeWakeUp();\n" +
      "    if (named) this.#context.onNames();\n" +
      "    // Asked after the wake-up was taken, which may be the one that came with it.\n" +
      "    const stops = !this.#stopping && this.#context.board.stopRequested;\n",
    to: "    const stops = !this.#stopping && this.#context.board.stopRequested;\n" +
      "    if (woken) this.#context.takeWakeUp();\n" +
      "    if (named) this.#context.onNames();\n",
    tests: INPUT_TESTS,
  },
  {
    file: ROUNDS,
    from: "      slot.ring();\n",
    to: "",
    tests: ["simulation"],
  },
  {
    file: ROUNDS,
    from: "      input.finish();\n",
    to: "",
    tests: INPUT_TESTS,
  },
  {
    file: ROUNDS,
    from: "input.hurries || slot.isAlwaysReady && input.wantsInput",
    to: "slot.isAlwaysReady && input.wantsInput",
    tests: INPUT_TESTS,
  },
  // The flush loop and what it counts.
  {
    file: DELIVERY,
    from: "    this.#written += bytes;",
    to: "    this.#written = bytes;",
    tests: OUTPUT_TESTS,
  },
  {
    file: DELIVERY,
    from: "progress.lines - this.#countedLines",
    to: "progress.lines",
    tests: OUTPUT_TESTS,
  },
  {
    file: DELIVERY,
    from: "    if (piece.length === 0) this.#takenEmpty();\n",
    to: "",
    tests: ["output"],
  },
  {
    file: DELIVERY,
    from: "while (this.#written < piece.length)",
    to: "if (this.#written < piece.length)",
    tests: OUTPUT_TESTS,
  },
  {
    file: DELIVERY,
    from: "      this.#steps.begin();\n      try {",
    to: "      try {",
    tests: OUTPUT_TESTS,
  },
  {
    file: DELIVERY,
    from: "        this.#taken(piece, taken);\n        this.#steps.end();",
    to: "        this.#steps.end();\n        this.#taken(piece, taken);",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: "const hasGap = batch.gapBytes > 0 ||",
    to: "const hasGap = batch.gapBytes > 1 ||",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: " || !counters.settled",
    to: "",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: "this.#ended && !this.#stays",
    to: "this.#ended",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: "if (format.atLineStart) delivery",
    to: "delivery",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: "this.#untilTime = oldestTime;",
    to: "this.#untilTime = Infinity;",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: "if (consumer.takeRoomRequest()) this.#context.onRoom();",
    to: "",
    tests: OUTPUT_TESTS,
  },
  {
    file: OUTLET,
    from: "      const { readerGone } = this.#context.board;\n      this.#findOldest();",
    to: "      this.#findOldest();\n      const { readerGone } = this.#context.board;",
    tests: OUTPUT_TESTS,
  },
  {
    file: COUNTERS,
    from: "(discarded ? discardedBytes : 0n)",
    to: "0n",
    tests: ["lane", "input"],
  },
  {
    file: COUNTERS,
    from: "    counts.linesIn! += lineOpen;\n",
    to: "",
    tests: ["lane", "input"],
  },

  // What is left by a process that is killed.
  {
    file: PRODUCER,
    from: "    // Last of the frame: whoever",
    to: "    this.#count(bytes, lines);\n    // Last of the frame: whoever",
    tests: ["lane"],
  },
  {
    file: CONSUMER,
    from: "if (length > 0 && this.#hold(tail, next) && this.#claim(tail, next)) {",
    to:
      "if (length > 0 && this.#claim(tail, next) && (this.#journal?.hold(this.#batch, this.#walk, next), true)) {",
    tests: ["lane"],
  },
  {
    file: "src/lane/expected_landing.ts",
    from: "    if (bytes <= 0 ||",
    to: "    if (bytes >= 0 ||",
    tests: ["lane"],
  },
  {
    file: "src/lane/hand_journal.ts",
    from: "const other = 1 - this.#selected;",
    to: "const other = this.#selected;",
    tests: ["lane"],
  },
  // Each of these puts two stores in the wrong order, which shows only after a kill.
  {
    file: "src/lane/hand_journal.ts",
    from: "    this.#set(BYTES, batch.bytes);",
    to: "    this.#words.store(this.#at + HELD, 1);\n    this.#set(BYTES, batch.bytes);",
    tests: KILL_TESTS,
  },
  {
    file: "src/lane/hand_journal.ts",
    from: "    const at = this.#progressAt(other);",
    to:
      "    this.#words.store(this.#at + SELECTED, other);\n    const at = this.#progressAt(other);",
    tests: KILL_TESTS,
  },
  {
    file: "src/lane/expected_landing.ts",
    from: "    this.#words.store(this.#at + LANDING_GOAL, end);\n",
    to: "",
    tests: KILL_TESTS,
  },
  {
    file: "src/lane/expected_landing.ts",
    from: "    // The mark of an earlier",
    to:
      "    this.#words.store(this.#at + LANDING_GOAL, end + bytes);\n    // The mark of an earlier",
    tests: KILL_TESTS,
  },
  {
    file: "src/input/landing.ts",
    from: "    if (rest > 0) this.#kernels.copy(",
    to:
      "    this.#kernels.store(at + LANDING_FROM, this.#fromByte + to);\n    if (rest > 0) this.#kernels.copy(",
    tests: KILL_TESTS,
  },
  {
    file: CONSUMER,
    from: "    if (this.#atomics.load(this.#tailAt) !== tail) return false;\n",
    to: "",
    tests: KILL_TESTS,
  },
  {
    file: "src/lane/left_lane.ts",
    from: "Math.max(tail, this.#journal.tailAfter) : tail",
    to: "tail : tail",
    tests: ["lane"],
  },
  {
    file: DELIVERY,
    from: "    if (counted > 0) this.#pass(piece, counted);",
    to: "",
    tests: ["lane"],
  },
];
