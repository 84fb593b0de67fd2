/**
 * A headless Chromium, driven by its DevTools protocol:
 * https://chromedevtools.github.io/devtools-protocol/
 */

import { until } from "./run.ts";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export type ColourScheme = "light" | "dark";

/** One browser with one page in it. */
export class Browser {
  /** Whatever the page, or the browser about the page, has complained of. */
  readonly complaints: string[] = [];
  /** The addresses of everything that was asked for. */
  readonly requests: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #session: string | undefined;
  #lastId = 0;

  private constructor(process: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
  }

  static async launch(): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "spillway-browser-" });
    const process = new Deno.Command("chromium", {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-dev-shm-usage",
        `--user-data-dir=${profile}`,
        "--remote-debugging-port=0",
        "about:blank",
      ],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const socket = new WebSocket(await debuggerAddress(process));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("the browser does not answer"));
    });
    const browser = new Browser(process, profile, socket);
    const { targetId } = await browser.#call("Target.createTarget", {
      url: "about:blank",
    });
    const attached = await browser.#call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    browser.#session = String(attached.sessionId);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) {
      await browser.#call(`${domain}.enable`);
    }
    return browser;
  }

  async open(url: string, scheme: ColourScheme, width: number, height: number) {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
    await this.#call("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
    await this.#call("Page.navigate", { url });
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`${expression} failed`);
    return (result as { value: T }).value;
  }

  /** Presses a key that is named, such as Tab or Enter. */
  async press(key: "Tab" | "Enter"): Promise<void> {
    const [code, text] = key === "Tab" ? [9, "\t"] : [13, "\r"];
    const event = { key, code: key, windowsVirtualKeyCode: code };
    await this.#call("Input.dispatchKeyEvent", { type: "keyDown", text, ...event });
    await this.#call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Types into what has the focus. */
  async type(text: string): Promise<void> {
    await this.#call("Input.insertText", { text });
  }

  /** A PNG of what can be seen. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.#call("Page.captureScreenshot", { format: "png" });
    return Uint8Array.from(atob(String(data)), (character) => character.charCodeAt(0));
  }

  async close(): Promise<void> {
    this.#session = undefined;
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.#call("Browser.close");
    await Promise.all([closed, this.#process.status]);
    // Processes of its own may still write there.
    await until(
      "the profile to be removed",
      () =>
        Deno.remove(this.#profile, { recursive: true }).then(() => true, (error) => {
          if (/not empty/i.test(`${error}`)) return false;
          throw error;
        }),
    );
  }

  #call(
    method: string,
    params: Record<string, unknown> = {},
  ): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const sessionId = this.#session;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (result !== undefined) resolve(result);
        else reject(new Error(`${method}: ${error?.message}`));
      });
    });
  }

  #hear(message: Message): void {
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
      return;
    }
    switch (message.method) {
      case "Network.requestWillBeSent":
        this.requests.push((message.params?.request as { url: string }).url);
        break;
      case "Runtime.exceptionThrown":
      case "Runtime.consoleAPICalled":
      case "Log.entryAdded":
        this.complaints.push(JSON.stringify(message.params));
    }
  }
}

/** The browser says on standard error where it listens. */
async function debuggerAddress(process: Deno.ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  const decoder = new TextDecoder();
  const read = async () => {
    for await (const chunk of process.stderr) {
      // Read to the end: a full pipe would stop the browser.
      text += decoder.decode(chunk, { stream: true });
      const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    }
    reject(new Error(`the browser ended: ${text}`));
  };
  read();
  return await promise;
}
