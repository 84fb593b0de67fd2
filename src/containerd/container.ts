import { UsageError } from "../errors.ts";

/** The container whose logging binary this is. */
export interface Container {
  readonly id: string;
  readonly namespace: string;
}

/** What containerd says of the container, and all that it leaves in the environment. */
export type ContainerEnvironment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError where containerd has not said it. */
export function containerOf(environment: ContainerEnvironment): Container {
  return {
    id: required("CONTAINER_ID", environment.CONTAINER_ID),
    namespace: required("CONTAINER_NAMESPACE", environment.CONTAINER_NAMESPACE),
  };
}

function required(name: string, value: string | undefined): string {
  if (value === undefined || value === "") {
    throw new UsageError(
      `--containerd: ${name} is not set; containerd sets it when it starts this program, as in ctr run --log-uri binary:///path/spillway?--containerd=`,
    );
  }
  return value;
}

/** How text reports call a container: `k8s.io/web-1`. */
export function nameOf({ namespace, id }: Container): string {
  return `${fileName(namespace)}/${fileName(id)}`;
}

/**
 * A name that can only be that of one file or folder. What could lead elsewhere is
 * percent-encoded and not left out, so that two containers never share a name.
 */
export function fileName(name: string): string {
  const encoded = encodeURIComponent(name);
  return encoded === "." || encoded === ".." ? encoded.replaceAll(".", "%2E") : encoded;
}
