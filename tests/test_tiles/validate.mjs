// Validates every GLB named on stdin with the Khronos validator; prints what is wrong as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.argv[2]);
const validator = require("gltf-validator");
const paths = readFileSync(0, "utf8").split("\n").filter(Boolean);
const wrong = [];
for (const path of paths) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)), { maxIssues: 20 });
  const { numErrors, numWarnings, messages } = report.issues;
  if (numErrors || numWarnings) wrong.push({ path, messages: messages.filter((m) => m.severity < 2) });
}
console.log(JSON.stringify({ checked: paths.length, wrong }));
