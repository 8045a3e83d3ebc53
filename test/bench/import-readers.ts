/**
 * Measures how fast files are read that are to be imported, and the peak memory of it:
 * `npx node test/bench/import-readers.ts 100000`. Each file of full customers is read by a process of its
 * own. What csv-parse does alone with the CSV file shows how fast the machine is at the time.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Parser } from 'csv-parse';
import type { FormatChoice } from '../../shared/domain/export.ts';
import { IMPORT_FORMATS, type ImportFormat } from '../../shared/domain/import.ts';
import { readRows } from '../../shared/formats/reading/read-rows.ts';
import { exportFile } from '../support/export-file.ts';
import { customerOf } from './customers.ts';

const DEFAULT_ROWS = 100_000;
const CHOICES: Readonly<Record<ImportFormat, FormatChoice>> = {
  csv: { name: 'csv', delimiter: 'semicolon', bom: true, headers: 'sv' },
  xml: { name: 'xml' },
  xlsx: { name: 'xlsx', headers: 'sv' },
  jsonl: { name: 'jsonl' },
};

const [given, path] = process.argv.slice(2);
if (path) await measure(given as ImportFormat | 'csv-parse', path);
else await measureAll(Number(given ?? DEFAULT_ROWS));

async function measureAll(rows: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'import-readers-'));
  try {
    for (const format of IMPORT_FORMATS) {
      const file = join(folder, `customers.${format}`);
      await pipeline(exportFile(CHOICES[format], customers(rows)), createWriteStream(file));
      for (const what of format === 'csv' ? ['csv-parse', format] : [format]) {
        // The peak memory is that of a process.
        spawnSync(process.execPath, [import.meta.filename, what, file], { stdio: 'inherit' });
      }
      rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function* customers(rows: number) {
  for (let id = 1; id <= rows; id += 1) yield customerOf('full', id);
}

async function measure(what: ImportFormat | 'csv-parse', file: string): Promise<void> {
  const started = performance.now();
  const before = process.cpuUsage();
  const rows = what === 'csv-parse' ? await parseAlone(file) : await readAll(what, file);
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const per = (time: number) => Math.round(rows / time).toLocaleString('en');
  const cpu = (user + system) / 1_000_000;
  const megabytes = Math.round((process.resourceUsage().maxRSS * 1_024) / 1_000_000);
  console.log(
    `${what}: ${rows} rows, ${per(seconds)} a second, ${per(cpu)} a second of CPU time, at most ${megabytes} MB`,
  );
}

async function readAll(format: ImportFormat, file: string): Promise<number> {
  const bytes = statSync(file).size;
  const read = (start = 0, to = bytes) => createReadStream(file, { start, end: to - 1 });
  const { rows } = await readRows({ bytes, read }, { format });
  let count = 0;
  for await (const batch of rows) {
    if (batch.some(({ faults }) => faults.length > 0)) throw new Error('A row is not valid.');
    count += batch.length;
  }
  return count;
}

async function parseAlone(file: string): Promise<number> {
  let count = -1;
  const on_record = () => {
    count += 1;
    return null;
  };
  const parser = new Parser({ delimiter: ';', bom: true, on_record });
  parser.resume();
  await pipeline(createReadStream(file), parser);
  return count;
}
