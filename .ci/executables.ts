/** For which machines, C libraries and runtimes. Deno has no runtime for musl. */
export const EXECUTABLES = [
  { platform: "x86_64-glibc-deno", target: "x86_64-unknown-linux-gnu" },
  { platform: "aarch64-glibc-deno", target: "aarch64-unknown-linux-gnu" },
  { platform: "x86_64-glibc-bun", target: "bun-linux-x64" },
  { platform: "aarch64-glibc-bun", target: "bun-linux-arm64" },
  { platform: "x86_64-musl-bun", target: "bun-linux-x64-musl" },
  { platform: "aarch64-musl-bun", target: "bun-linux-arm64-musl" },
] as const;
