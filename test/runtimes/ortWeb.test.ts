import { afterAll } from "vitest";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { sessionContract } from "./contract";
import { runnable } from "./runnable";

const ortWeb = nodeRuntimes["ort-web"];
afterAll(() => ortWeb.shutdown());

sessionContract("ort-web", (bytes, options) => ortWeb.open(runnable(bytes), options));
