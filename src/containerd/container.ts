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
 * Puts the container's names where a template says `{id}` and `{namespace}`.
 *
 * @throws UsageError for any other name in braces.
 */
export function expand(template: string, container: Container): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (braces: string, name: string) => {
    if (name === "id" || name === "namespace") return fileName(container[name]);
    throw new UsageError(
      `"${template}": ${braces} is not known; {id} and {namespace} are`,
    );
  });
}

/**
 * The folders in a path that are named after the container, outermost first:
 * `/logs/{namespace}/{id}.log` → `/logs/default`. Nobody else could have made them.
 */
export function namedFolders(template: string, container: Container): string[] {
  const folders = template.split("/").slice(0, -1);
  const first = folders.findIndex((folder) => folder.includes("{"));
  if (first < 0) return [];
  return folders.slice(first).map((_, index) =>
    expand(folders.slice(0, first + index + 1).join("/"), container)
  );
}

/**
 * A name that can only be that of one file or folder. What could lead elsewhere is
 * percent-encoded and not left out, so that two containers never share a name.
 */
function fileName(name: string): string {
  const encoded = encodeURIComponent(name);
  return encoded === "." || encoded === ".." ? encoded.replaceAll(".", "%2E") : encoded;
}
