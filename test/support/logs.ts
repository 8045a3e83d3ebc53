import { format } from 'node:util';
import { expect } from 'vitest';

/** Shorter texts, and words such as a stack is made of, turn up in logs by chance. */
const SHORTEST = 8;
const WORD = /^[\w$./-]*[A-Za-z_$][\w$./-]*$/;
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
// What functions in threads of their own log comes here.
for (const stream of STREAMS) {
  const pass = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array, ...more: never[]) => {
    written += chunk.toString();
    return isQuiet || pass(chunk, ...more);
  };
}

/** Starts a file's log. Files share a process where their project is not isolated. */
export function startLog(): void {
  sentTexts.clear();
  lines = [];
  written = '';
  isQuiet = false;
}

/** Remembers what a request says of people: every text in its body, query and path. */
export function remember(path: string, body: unknown): void {
  const [segments = '', query = ''] = path.split('?');
  const number = /searchByOrgNumber\/(.*)/.exec(segments)?.[1];
  for (const text of [number, ...new URLSearchParams(query).values(), ...textsIn(parsed(body))]) {
    if (text && text.length >= SHORTEST && !WORD.test(text)) sentTexts.add(text);
  }
}

/** What a body says that is JSON already; anything else as it is. */
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

/** Keeps a file's logs off the terminal, where it makes many; they are looked at all the same. */
export function quiet(): void {
  isQuiet = true;
}

/** What was logged so far. */
export function logged(): readonly Logged[] {
  return lines;
}

/** Expects that no text of a request is in the file's log. */
export function expectNoTextsLogged(): void {
  expect([...sentTexts].filter((text) => written.includes(text))).toEqual([]);
}
