;; The kernels; kernels.ts says what each is for. `deno task kernels` assembles this
;; text into kernel_bytes.ts.
;;
;; Instructions: https://webassembly.github.io/spec/core/, for those with `atomic` in
;; their name https://webassembly.github.io/threads/core/. All addresses are offsets in
;; the one memory. Loads and stores are unaligned (`align=1`) where lines are, since a
;; line begins anywhere; the atomic ones trap where an address is no multiple of 8.

(module
  (memory (import "shared" "memory") 1 65536 shared)

  ;; Bytes ------------------------------------------------------------------------

  (func (export "copy") (param $to i32) (param $from i32) (param $length i32)
    (memory.copy (local.get $to) (local.get $from) (local.get $length)))

  ;; A lane in which `i8x16.eq` finds a newline becomes -1. Four vectors are added
  ;; before their lanes are, which halves the work for each byte: 64 bytes in a round,
  ;; then 16, then 1.
  (func (export "countNewlines") (param $at i32) (param $length i32) (result i32)
    (local $end i32)
    (local $count i32)
    (local $newlines v128) ;; 16 of them
    (local $counts v128) ;; what was found so far, in four 32-bit lanes

    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (local.set $newlines (i8x16.splat (i32.const 10)))

    (block $less_than_64
      (loop $next
        (br_if $less_than_64
          (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 64)))
        ;; A lane is at least -4 here, so the sum of 4 fits into 8 bits. It is
        ;; subtracted, for it counts downwards.
        (local.set $counts
          (i32x4.sub
            (local.get $counts)
            (i32x4.extadd_pairwise_i16x8_s
              (i16x8.extadd_pairwise_i8x16_s
                (i8x16.add
                  (i8x16.add
                    (i8x16.eq (v128.load align=1 (local.get $at)) (local.get $newlines))
                    (i8x16.eq
                      (v128.load offset=16 align=1 (local.get $at))
                      (local.get $newlines)))
                  (i8x16.add
                    (i8x16.eq
                      (v128.load offset=32 align=1 (local.get $at))
                      (local.get $newlines))
                    (i8x16.eq
                      (v128.load offset=48 align=1 (local.get $at))
                      (local.get $newlines))))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (local.set $count
      (i32.add
        (i32.add
          (i32x4.extract_lane 0 (local.get $counts))
          (i32x4.extract_lane 1 (local.get $counts)))
        (i32.add
          (i32x4.extract_lane 2 (local.get $counts))
          (i32x4.extract_lane 3 (local.get $counts)))))

    (block $less_than_16
      (loop $next
        (br_if $less_than_16
          (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
        (local.set $count
          (i32.add
            (local.get $count)
            (i32.popcnt
              (i8x16.bitmask
                (i8x16.eq (v128.load align=1 (local.get $at)) (local.get $newlines))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))

    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (local.set $count
          (i32.add
            (local.get $count)
            (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $count))

  ;; Looks at 16 bytes in a round, as many as come before the first newline or the end;
  ;; 16 means that neither was among them. It may read up to 15 bytes past the end.
  (func (export "indexOfNewline") (param $at i32) (param $length i32) (result i32)
    (local $end i32)
    (local $left i32)
    (local $lanes i32)

    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (loop $next
      (local.set $left (i32.sub (local.get $end) (local.get $at)))
      (local.set $lanes
        (i32.ctz
          (i32.or
            (i8x16.bitmask
              (i8x16.eq
                (v128.load align=1 (local.get $at))
                (i8x16.splat (i32.const 10))))
            ;; The end counts as a newline: a bit in lane min(left, 16).
            (i32.shl
              (i32.const 1)
              (select
                (local.get $left)
                (i32.const 16)
                (i32.lt_u (local.get $left) (i32.const 16)))))))
      (local.set $at (i32.add (local.get $at) (local.get $lanes)))
      (br_if $next (i32.eq (local.get $lanes) (i32.const 16))))
    (local.get $at))

  ;; Text -------------------------------------------------------------------------

  ;; The offsets are those of the escape table, whose picture is in escape_table.ts:
  ;;
  ;;      0, 16         classes of low and of high nibbles
  ;;      32            entries, 8 bytes each: a length, and then text or two bounds
  ;;      32 + 8 * 256  the entry that replaces what is no UTF-8 (2080)
  ;;      32 + 8 * 257  the entries that replace U+2028 and U+2029 (2088)
  ;;
  ;; Text is written as 8 bytes, whatever its length: the next write goes over the rest.
  (func (export "encode")
    (param $to i32) (param $from i32) (param $length i32) (param $table i32) (result i32)
    (local $end i32)
    (local $left i32)
    (local $bytes v128)
    (local $lanes i32) ;; how many of them need no look
    (local $byte i32)
    (local $entry i32) ;; address of an entry, less 32
    (local $size i32) ;; bytes of a character

    (local.set $end (i32.add (local.get $from) (local.get $length)))
    (loop $next
      ;; Copy 16 bytes, and go on behind those that need no look. A byte needs one if
      ;; the classes of its nibbles have a bit in common; so does the end.
      (local.set $bytes (v128.load align=1 (local.get $from)))
      (v128.store align=1 (local.get $to) (local.get $bytes))
      (local.set $left (i32.sub (local.get $end) (local.get $from)))
      (local.set $lanes
        (i32.ctz
          (i32.or
            (i8x16.bitmask
              (i8x16.ne
                (v128.and
                  (i8x16.swizzle
                    (v128.load align=1 (local.get $table))
                    (v128.and (local.get $bytes) (i8x16.splat (i32.const 0x0f))))
                  (i8x16.swizzle
                    (v128.load offset=16 align=1 (local.get $table))
                    (i8x16.shr_u (local.get $bytes) (i32.const 4))))
                (v128.const i64x2 0 0)))
            (i32.shl
              (i32.const 1)
              (select
                (local.get $left)
                (i32.const 16)
                (i32.lt_u (local.get $left) (i32.const 16)))))))
      (local.set $from (i32.add (local.get $from) (local.get $lanes)))
      (local.set $to (i32.add (local.get $to) (local.get $lanes)))
      (if (i32.eq (local.get $from) (local.get $end)) (then (return (local.get $to))))
      (br_if $next (i32.eq (local.get $lanes) (i32.const 16)))

      (local.set $byte (i32.load8_u (local.get $from)))
      (local.set $entry
        (i32.add (local.get $table) (i32.shl (local.get $byte) (i32.const 3))))

      ;; An ASCII character: write its escape.
      (if (i32.lt_u (local.get $byte) (i32.const 0x80))
        (then
          (i64.store align=1
            (local.get $to)
            (i64.load offset=33 align=1 (local.get $entry)))
          (local.set $to
            (i32.add (local.get $to) (i32.load8_u offset=32 (local.get $entry))))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br $next)))

      (block $invalid
        ;; The first byte says how many there are and bounds the second one; the others
        ;; are 0b10xxxxxx. 0 bytes: no character begins with this one.
        (local.set $size (i32.load8_u offset=32 (local.get $entry)))
        (br_if $invalid (i32.eqz (local.get $size)))
        (br_if $invalid
          (i32.gt_u
            (local.get $size)
            (i32.sub (local.get $end) (local.get $from))))
        (br_if $invalid
          (i32.lt_u
            (i32.load8_u offset=1 (local.get $from))
            (i32.load8_u offset=33 (local.get $entry))))
        (br_if $invalid
          (i32.gt_u
            (i32.load8_u offset=1 (local.get $from))
            (i32.load8_u offset=34 (local.get $entry))))
        (if (i32.gt_u (local.get $size) (i32.const 2))
          (then
            (br_if $invalid
              (i32.ne
                (i32.and (i32.load8_u offset=2 (local.get $from)) (i32.const 0xc0))
                (i32.const 0x80)))))
        (if (i32.gt_u (local.get $size) (i32.const 3))
          (then
            (br_if $invalid
              (i32.ne
                (i32.and (i32.load8_u offset=3 (local.get $from)) (i32.const 0xc0))
                (i32.const 0x80)))))

        (block $plain
          ;; U+2028 is E2 80 A8, U+2029 is E2 80 A9: the last bit selects the entry.
          (br_if $plain
            (i32.ne (i32.load16_u align=1 (local.get $from)) (i32.const 0x80e2)))
          (br_if $plain
            (i32.ne
              (i32.and (i32.load8_u offset=2 (local.get $from)) (i32.const 0xfe))
              (i32.const 0xa8)))
          (local.set $entry
            (i32.add
              (local.get $table)
              (i32.shl
                (i32.and (i32.load8_u offset=2 (local.get $from)) (i32.const 1))
                (i32.const 3))))
          (br_if $plain (i32.eqz (i32.load8_u offset=2088 (local.get $entry))))
          (i64.store align=1
            (local.get $to)
            (i64.load offset=2089 align=1 (local.get $entry)))
          (local.set $to
            (i32.add (local.get $to) (i32.load8_u offset=2088 (local.get $entry))))
          (local.set $from (i32.add (local.get $from) (i32.const 3)))
          (br $next))

        ;; Any other character: copy it, as 4 bytes whatever its size.
        (i32.store align=1 (local.get $to) (i32.load align=1 (local.get $from)))
        (local.set $to (i32.add (local.get $to) (local.get $size)))
        (local.set $from (i32.add (local.get $from) (local.get $size)))
        (br $next))

      ;; Not UTF-8: replace one byte.
      (i64.store align=1
        (local.get $to)
        (i64.load offset=2081 align=1 (local.get $table)))
      (local.set $to
        (i32.add (local.get $to) (i32.load8_u offset=2080 (local.get $table))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Checksums --------------------------------------------------------------------

  ;; In the manner of xxHash: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
  ;; Four sums take 8 bytes each in a round, so that none waits for the product of
  ;; another; what is left over goes into their sum, 8 bytes and then 1 at a time. The
  ;; multipliers are odd, so no product loses a bit, and the rotation brings the high bits,
  ;; on which all others have come to bear, to where the next product spreads them.
  (func $mixed (param $sum i64) (param $bytes i64) (result i64)
    (i64.mul
      (i64.rotl
        (i64.add
          (local.get $sum)
          (i64.mul (local.get $bytes) (i64.const 0xd6e8feb86659fd93)))
        (i64.const 31))
      (i64.const 0xa0761d6478bd642f)))

  (func (export "checksum")
    (param $at i32) (param $length i32) (param $seed f64) (result f64)
    (local $end i32)
    (local $sum i64)
    (local $a i64)
    (local $b i64)
    (local $c i64)
    (local $d i64)
    (local $first i64)
    (local $second i64)

    (local.set $end (i32.add (local.get $at) (local.get $length)))
    ;; As in `mixed`, which is written out in the loop: a call would take half of its time.
    (local.set $first (i64.const 0xd6e8feb86659fd93))
    (local.set $second (i64.const 0xa0761d6478bd642f))
    ;; The length counts, or zeros at the end would not.
    (local.set $sum
      (call $mixed
        (i64.trunc_f64_u (local.get $seed))
        (i64.extend_i32_u (local.get $length))))
    (local.set $a (local.get $sum))
    (local.set $b (i64.rotl (local.get $sum) (i64.const 16)))
    (local.set $c (i64.rotl (local.get $sum) (i64.const 32)))
    (local.set $d (i64.rotl (local.get $sum) (i64.const 48)))

    (block $less_than_32
      (loop $next
        (br_if $less_than_32
          (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 32)))
        (local.set $a
          (i64.mul
            (i64.rotl
              (i64.add
                (local.get $a)
                (i64.mul (i64.load align=1 (local.get $at)) (local.get $first)))
              (i64.const 31))
            (local.get $second)))
        (local.set $b
          (i64.mul
            (i64.rotl
              (i64.add
                (local.get $b)
                (i64.mul (i64.load offset=8 align=1 (local.get $at)) (local.get $first)))
              (i64.const 31))
            (local.get $second)))
        (local.set $c
          (i64.mul
            (i64.rotl
              (i64.add
                (local.get $c)
                (i64.mul (i64.load offset=16 align=1 (local.get $at)) (local.get $first)))
              (i64.const 31))
            (local.get $second)))
        (local.set $d
          (i64.mul
            (i64.rotl
              (i64.add
                (local.get $d)
                (i64.mul (i64.load offset=24 align=1 (local.get $at)) (local.get $first)))
              (i64.const 31))
            (local.get $second)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))
    (local.set $sum
      (call $mixed
        (call $mixed
          (call $mixed (local.get $a) (local.get $b))
          (local.get $c))
        (local.get $d)))

    (block $less_than_8
      (loop $next
        (br_if $less_than_8
          (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $sum
          (call $mixed (local.get $sum) (i64.load align=1 (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (local.set $sum
          (call $mixed (local.get $sum) (i64.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))

    ;; The low bits of a product depend on the low bits only, so it is folded; 53 bits are
    ;; what a number holds.
    (local.set $sum
      (i64.mul
        (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 32)))
        (i64.const 0x9fb21c651e98df25)))
    (f64.convert_i64_u
      (i64.shr_u
        (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 29)))
        (i64.const 11))))

  ;; 64-bit words, as JavaScript's numbers ------------------------------------------

  (func (export "load") (param $at i32) (result f64)
    (f64.convert_i64_u (i64.atomic.load (local.get $at))))

  (func (export "store") (param $at i32) (param $value f64)
    (i64.atomic.store (local.get $at) (i64.trunc_f64_u (local.get $value))))

  (func (export "add") (param $at i32) (param $amount i32)
    (drop
      (i64.atomic.rmw.add (local.get $at) (i64.extend_i32_u (local.get $amount)))))

  (func (export "compareExchange")
    (param $at i32) (param $expected f64) (param $value f64) (result f64)
    (f64.convert_i64_u
      (i64.atomic.rmw.cmpxchg
        (local.get $at)
        (i64.trunc_f64_u (local.get $expected))
        (i64.trunc_f64_u (local.get $value))))))
