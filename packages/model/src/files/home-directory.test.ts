import { homedir } from "node:os";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { homeDirectory } from "./home-directory.js";

test("is the one that the system knows", () => {
  expect(homeDirectory()).toBe(homedir());
});

test("is the root if HOME is empty, rather than the current directory", () => {
  expect(homeDirectory(() => "")).toBe(resolve("/"));
});

test("is the root if the user has no name, so that a container may run a model as any number", () => {
  const unknown = () => {
    throw new Error("A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)");
  };
  expect(homeDirectory(unknown)).toBe(resolve("/"));
});
