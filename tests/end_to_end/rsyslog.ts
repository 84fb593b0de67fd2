/** An rsyslogd of Debian's, with its own ports, sockets and files. */

import { accepts, type Certificates, exists, freePort, Server } from "./peers.ts";

export interface Rsyslogd {
  readonly server: Server;
  /** The same number for UDP and TCP. */
  readonly port: number;
  readonly tlsPort: number;
  /** As Debian's own /dev/log is, with the default parser. */
  readonly socket: string;
  /** Told to take RFC 5424. */
  readonly rfc5424Socket: string;
  /** What it has written so far: `facility.severity tag msgid message`, a line each. */
  output(): string;
}

/** Not started yet. TLS only with certificates. */
export function makeRsyslogd(folder: string, tls?: Certificates): Rsyslogd {
  const [port, tlsPort] = [freePort(), freePort()];
  const [socket, output] = [`${folder}/log`, `${folder}/received`];
  const rfc5424Socket = `${folder}/rfc5424`;
  Deno.writeTextFileSync(
    `${folder}/rsyslog.conf`,
    rsyslogConfiguration(
      { folder, port, tlsPort, socket, rfc5424Socket, output },
      tls,
    ),
  );
  const server = new Server(
    ["rsyslogd", "-n", "-f", `${folder}/rsyslog.conf`, "-i", `${folder}/pid`],
    async () =>
      await accepts(port) && exists(socket) && exists(rfc5424Socket) &&
      (!tls || await accepts(tlsPort)),
  );
  return {
    server,
    port,
    tlsPort,
    socket,
    rfc5424Socket,
    output: () => exists(output) ? Deno.readTextFileSync(output) : "",
  };
}

/** Where it listens, and the file that it writes `facility.severity tag msgid message` to. */
export interface RsyslogPlaces {
  /** For its own files. */
  readonly folder: string;
  /** The same number for UDP and TCP. */
  readonly port: number;
  readonly tlsPort: number;
  readonly socket: string;
  readonly rfc5424Socket: string;
  readonly output: string;
}

export function rsyslogConfiguration(
  { folder, port, tlsPort, socket, rfc5424Socket, output }: RsyslogPlaces,
  tls?: Certificates,
): string {
  return `
global(workDirectory="${folder}" maxMessageSize="128k"
  processInternalMessages="off")
module(load="imudp")
module(load="imtcp" ${tls ? tlsModule() : ""})
module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="${port}" rcvbufSize="8m")
input(type="imtcp" address="127.0.0.1" port="${port}"
  streamDriver.mode="0" streamDriver.authMode="anon")
${tls ? tlsInput(tlsPort, tls) : ""}
input(type="imuxsock" socket="${socket}")
input(type="imuxsock" socket="${rfc5424Socket}" useSpecialParser="off"
  parseHostname="on")
template(name="received" type="string"
  string="%syslogfacility-text%.%syslogseverity-text% %app-name% %msgid% %msg%\\n")
action(type="omfile" file="${output}" template="received" flushOnTXEnd="on")
`;
}

function tlsModule(): string {
  return `streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid"`;
}

function tlsInput(port: number, tls: Certificates): string {
  return `input(type="imtcp" address="127.0.0.1" port="${port}"
  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid"
  streamDriver.caFile="${tls.ca}" streamDriver.certFile="${tls.serverCert}"
  streamDriver.keyFile="${tls.serverKey}")`;
}
