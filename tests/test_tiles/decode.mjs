// Writes a plain copy of every compressed GLB named on stdin ("from<TAB>to" per line), decoded by
// another implementation of the codec than the one that encoded it, and names each that is written.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(process.argv[2]);
const { MeshoptDecoder } = await import(pathToFileURL(require.resolve("meshoptimizer")).href);
await MeshoptDecoder.ready;
const EXTENSION = "EXT_meshopt_compression";

function plain(glb) {
  const jsonLength = glb.readUInt32LE(12);
  const document = JSON.parse(glb.subarray(20, 20 + jsonLength).toString("utf8"));
  const binary = glb.subarray(20 + jsonLength + 8);
  const chunks = [];
  let length = 0;
  for (const view of document.bufferViews) {
    const packed = view.extensions?.[EXTENSION];
    let data;
    if (packed) {
      data = Buffer.alloc(packed.count * packed.byteStride);
      const source = binary.subarray(packed.byteOffset, packed.byteOffset + packed.byteLength);
      MeshoptDecoder.decodeGltfBuffer(data, packed.count, packed.byteStride, source, packed.mode, packed.filter);
      delete view.extensions;
    } else {
      data = binary.subarray(view.byteOffset, view.byteOffset + view.byteLength);
    }
    view.buffer = 0;
    view.byteOffset = length;
    view.byteLength = data.length;
    const padding = Buffer.alloc((8 - (data.length % 8)) % 8);
    chunks.push(data, padding);
    length += data.length + padding.length;
  }
  document.buffers = [{ byteLength: length }];
  for (const list of ["extensionsUsed", "extensionsRequired"]) {
    document[list] = document[list].filter((name) => name !== EXTENSION);
    if (document[list].length === 0) delete document[list];
  }
  let text = Buffer.from(JSON.stringify(document), "utf8");
  text = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(0x46546c67, 0);
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(12 + 8 + text.length + 8 + length, 8);
  head.writeUInt32LE(text.length, 12);
  head.writeUInt32LE(0x4e4f534a, 16);
  const binaryHead = Buffer.alloc(8);
  binaryHead.writeUInt32LE(length, 0);
  binaryHead.writeUInt32LE(0x004e4942, 4);
  return Buffer.concat([head, text, binaryHead, ...chunks]);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [from, to] = line.split("\t");
  writeFileSync(to, plain(readFileSync(from)));
  console.log(to);
}
