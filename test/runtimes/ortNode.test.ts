import { afterAll } from "vitest";
import { ortNode } from "#runtimes/ortNode/ortNode.node";
import { sessionContract } from "./contract";
import { runnable } from "./runnable";

afterAll(() => ortNode.shutdown());

sessionContract("ort-node", (bytes, options) => ortNode.open(runnable(bytes), options));
