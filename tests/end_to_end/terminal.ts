/** A terminal that tests can look at: a pane of tmux, on a server of its own. */

import { until } from "./run.ts";

const decoder = new TextDecoder();

export class Terminal {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Runs a shell script in a new terminal. What it shows stays there when the
   * script has ended.
   *
   * @param folder an empty one, for tmux
   */
  static async open(
    folder: string,
    script: string,
    columns: number,
    rows: number,
    env: Record<string, string> = {},
  ): Promise<Terminal> {
    const terminal = new Terminal(folder);
    await Deno.writeTextFile(`${folder}/tmux.conf`, "set -g remain-on-exit on\n");
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const variables = Object.entries(env).flatMap(([name, value]) => [
      "-e",
      `${name}=${value}`,
    ]);
    await terminal.#tmux("new-session", "-d", ...size, ...variables, script);
    return terminal;
  }

  /** What it shows, without empty lines at the end. @param codes with colour codes */
  async screen(codes = false): Promise<string> {
    const screen = await this.#tmux("capture-pane", "-p", ...(codes ? ["-e"] : []));
    return screen.trimEnd();
  }

  /** Waits until it shows something; returns all that it shows then. */
  async shows(what: RegExp): Promise<string> {
    let screen = "";
    await until(() => `the terminal to show ${what}; it shows:\n${screen}`, async () => {
      screen = await this.screen();
      return what.test(screen);
    }, 50);
    return screen;
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** Types keys by tmux's names, such as `C-c`. */
  async type(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async close(): Promise<void> {
    await this.#tmux("kill-server");
  }

  async #tmux(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", `${this.#folder}/tmux`, "-f", `${this.#folder}/tmux.conf`, ...args],
      env: { LC_ALL: "C.UTF-8" },
    }).output();
    if (!success) throw new Error(`tmux ${args[0]}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}
