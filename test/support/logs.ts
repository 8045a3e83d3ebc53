import { format } from 'node:util';
import { expect } from 'vitest';

/** Shorter texts, and words that stack traces contain, occur in logs by chance. */
const SHORTEST = 8;
const LETTER = /[A-Za-z_$]/;
/** What is neither in words nor in paths. */
const NO_WORD = /[^\w$./-]/;
const LEVELS = ['debug', 'log', 'info', 'warn', 'error'] as const;
const STREAMS = [process.stdout, process.stderr];

/** A line of a log. */
interface Logged {
  readonly level: string;
  readonly what: unknown;
}

const sentTexts = new Set<string>();
let lines: Logged[] = [];
/** All lines of all streams as text. */
let written = '';
let isQuiet = false;

for (const level of LEVELS) {
  const pass = console[level].bind(console);
  console[level] = (...line) => {
    lines.push({ level, what: line[0] });
    written += `${format(...line)}\n`;
    if (!isQuiet) pass(...line);
  };
}
// Functions in threads write their logs here.
for (const stream of STREAMS) {
  const pass = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array, ...more: never[]) => {
    written += chunk.toString();
    return isQuiet || pass(chunk, ...more);
  };
}

/** Starts the log of a test file. Files of a project that is not isolated share a process. */
export function startLog(): void {
  sentTexts.clear();
  lines = [];
  written = '';
  isQuiet = false;
}

/** Records the personal data of a request: every text in its body, query and path. */
export function recordSentTexts(path: string, body: unknown): void {
  const [segments = '', query = ''] = path.split('?');
  const number = /searchByOrgNumber\/(.*)/.exec(segments)?.[1];
  for (const text of [number, ...new URLSearchParams(query).values(), ...textsIn(parsed(body))]) {
    if (!text || text.length < SHORTEST) continue;
    // In two patterns, as one of both would take quadratic time for long texts.
    const isWord = LETTER.test(text) && !NO_WORD.test(text);
    if (!isWord) sentTexts.add(text);
  }
}

/** Parses a body that is JSON; returns others unchanged. */
function parsed(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** Hides the logs of a file that writes many; they are checked all the same. */
export function quiet(): void {
  isQuiet = true;
}

/** Returns the log so far. */
export function logged(): readonly Logged[] {
  return lines;
}

/** Expects that the log contains no text of a request. */
export function expectNoSentTextsLogged(): void {
  expect([...sentTexts].filter((text) => written.includes(text))).toEqual([]);
}
