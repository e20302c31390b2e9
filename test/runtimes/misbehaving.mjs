// Plays a broken session process: what it does wrong is in the environment.
import { writeSync } from "node:fs";

const wire = 3;
const frame = (/** @type {number[]} */ body, length = body.length) => {
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeBigUInt64LE(BigInt(length));
  bytes.set(body, 8);
  return bytes;
};

switch (process.env.LOWBIT_TEST_MISBEHAVIOUR) {
  case "exit":
    writeSync(2, "first line\nsecond line\n");
    process.exit(3);
    break;
  case "segfault":
    process.kill(process.pid, "SIGSEGV");
    break;
  case "abort":
    process.abort();
    break;
  case "out of memory":
    writeSync(2, "terminate called after throwing an instance of 'std::bad_alloc'\n");
    process.abort();
    break;
  case "noise":
    writeSync(wire, Buffer.alloc(1000, 0x41));
    break;
  case "garbage":
    writeSync(wire, frame([1, 2, 3, 4, 5]));
    break;
  case "half a value":
    writeSync(wire, frame([0xff, 0x0f, 0x6f, 0x22, 0x05]));
    break;
  case "not an answer":
    writeSync(wire, frame([0xff, 0x0f, 0x30])); // null
    break;
}
setInterval(() => {}, 1000);
