// Compiles the operations of an application that uses Relay, against the contract.
//
//   node relay.js schema.graphql
//
// What the compiler writes goes into a directory that is removed in the end.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import compiler from "relay-compiler";

const root = mkdtempSync(join(tmpdir(), "relay-"));
try {
  copyFileSync(process.argv[2], join(root, "schema.graphql"));
  cpSync(new URL("relay", import.meta.url), join(root, "src"), { recursive: true });
  const config = join(root, "relay.config.json");
  writeFileSync(
    config,
    JSON.stringify({
      src: "src",
      schema: "schema.graphql",
      language: "typescript",
      artifactDirectory: "src/__generated__",
    }),
  );
  mkdirSync(join(root, "src", "__generated__"));
  const { status, stdout, stderr } = spawnSync(compiler, [config], { cwd: root, encoding: "utf8" });
  const made = status === 0 ? readdirSync(join(root, "src", "__generated__")) : [];
  if (made.length === 0) {
    console.error(stdout + stderr);
    process.exitCode = 1;
  } else {
    console.log(`relay-compiler made ${made.sort().join(", ")}`);
  }
} finally {
  rmSync(root, { recursive: true });
}
