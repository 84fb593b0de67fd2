/** An HTTP server inside the test: it keeps what it took, and answers as the test wants. */

import { accepts, type Certificates, freePort, listenAgain, Server } from "./peers.ts";

export interface Request {
  readonly url: string;
  readonly headers: Headers;
  /** Unzipped. */
  readonly body: string;
}

export class HttpReceiver {
  readonly requests: Request[] = [];
  readonly port: number;
  /** The reply to a request. */
  answer: (request: Request) => Response | Promise<Response> = () => new Response();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #power = new AbortController();

  constructor() {
    this.port = freePort();
  }

  async start(): Promise<void> {
    const { port } = this;
    this.#power = new AbortController();
    const { signal } = this.#power;
    this.#server = await listenAgain(() =>
      Deno.serve(
        { hostname: "127.0.0.1", port, signal, onListen: () => {} },
        (request) => this.#receive(request),
      )
    );
  }

  async #receive(raw: globalThis.Request): Promise<Response> {
    const zipped = raw.headers.get("content-encoding") === "gzip";
    const stream = zipped
      ? raw.body!.pipeThrough(new DecompressionStream("gzip"))
      : raw.body;
    const request = {
      url: new URL(raw.url).pathname + new URL(raw.url).search,
      headers: raw.headers,
      body: await new Response(stream).text(),
    };
    this.requests.push(request);
    return await this.answer(request);
  }

  /** At once: whoever waits for an answer gets none. */
  async stop(): Promise<void> {
    this.#power.abort();
    await this.#server?.finished;
  }
}

/** An nginx that takes HTTPS and passes on what it gets to a receiver. */
export function makeNginx(
  folder: string,
  upstreamPort: number,
  tls: Certificates,
): { readonly server: Server; readonly port: number } {
  const port = freePort();
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 8m;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${tls.serverCert};
    ssl_certificate_key ${tls.serverKey};
    ssl_client_certificate ${tls.ca};
    ssl_verify_client optional;
    location / {
      proxy_set_header X-Client $ssl_client_s_dn;
      proxy_pass http://127.0.0.1:${upstreamPort};
    }
  }
}
`,
  );
  const command = ["nginx", "-p", folder, "-c", `${folder}/nginx.conf`];
  return {
    server: new Server(
      [...command, "-e", `${folder}/nginx-error.log`],
      () => accepts(port),
    ),
    port,
  };
}
