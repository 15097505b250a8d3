// Puts the files of the installed `swagger-ui-dist` in the place of those that the sandbox ships.

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const from = new URL("node_modules/swagger-ui-dist/", import.meta.url);
const to = new URL("../../docs/swagger-ui/", import.meta.url);

for (const name of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
  writeFileSync(new URL(`${name}.gz`, to), gzipSync(readFileSync(new URL(name, from)), { level: 9 }));
}
for (const name of ["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"]) {
  copyFileSync(new URL(name, from), new URL(name, to));
}
