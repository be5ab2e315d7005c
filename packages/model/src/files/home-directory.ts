import { homedir } from "node:os";
import { resolve } from "node:path";

/**
 * The user's home directory; the root for a user without one, such as a container's that is only a number. Containers
 * set HOME to it then, and HuggingFace's tools take it if HOME is empty.
 */
export function homeDirectory(find: () => string = homedir): string {
  let home = "";
  try {
    home = find();
  } catch {
    // Neither HOME nor the system's list of users has one.
  }
  return home === "" ? resolve("/") : home;
}
