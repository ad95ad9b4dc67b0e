import type { Call } from './call.ts';
import type { Means } from './means.ts';

/** Answers a call; `params` are the parts of its path that name something. What it throws is told to the client. */
export type Handler = (means: Means, call: Call, params: readonly string[]) => Promise<void>;
