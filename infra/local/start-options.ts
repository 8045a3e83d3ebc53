import { once } from 'node:events';
import { createServer } from 'node:net';
import { UsageError } from '../command.ts';
import { DATA_FOLDER } from './data-folder.ts';
import { DataInUseError, OldTableError } from './dynamodb.ts';
import { HOST } from './server.ts';
import type { ServerName } from './stack.ts';

/** Default port of the issuer. Every token contains it. */
export const ISSUER_PORT = 3001;

/** The default port of each server, and the option and variable that set another. */
const PORTS = {
  api: { label: 'the API', flag: 'port', variable: 'PORT', defaultPort: 3000 },
  issuer: {
    label: 'the token issuer',
    flag: 'issuer-port',
    variable: 'ISSUER_PORT',
    defaultPort: ISSUER_PORT,
  },
  dynamodb: {
    label: 'DynamoDB',
    flag: 'dynamodb-port',
    variable: 'DYNAMODB_PORT',
    defaultPort: 3002,
  },
  s3: { label: 'S3', flag: 's3-port', variable: 'S3_PORT', defaultPort: 3003 },
} as const satisfies Record<ServerName, object>;

/** The port of each server. */
export type Ports = Record<ServerName, number>;

/** Options, for `parseArgs`, of the commands that start the stack. */
export const START_OPTIONS = {
  port: { type: 'string' },
  'issuer-port': { type: 'string' },
  'dynamodb-port': { type: 'string' },
  's3-port': { type: 'string' },
  'browser-origin': { type: 'string', multiple: true },
  reset: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Values of the options that choose ports. */
type PortValues = { readonly [server in ServerName as (typeof PORTS)[server]['flag']]?: string };

const SERVERS = Object.keys(PORTS) as ServerName[];
const MAX_PORT = 65_535;
/** The error of a server that cannot listen. */
type ListenError = NodeJS.ErrnoException & { port?: number };

/**
 * Returns the help text of a command that starts the stack.
 *
 * @param intro what the command does, and its usage.
 * @param moreOptions lines about the options that only this command has.
 */
export function startHelp(intro: string, moreOptions = ''): string {
  const ports = Object.values(PORTS).map(({ flag, label, defaultPort, variable }) =>
    `  --${flag} <number>`
      .padEnd(29)
      .concat(`port of ${label} (default: ${variable}, or ${defaultPort})`),
  );
  return `${intro}

${ports.join('\n')}
${moreOptions}  --browser-origin <origin>  pages of this origin may call the API (CORS); repeatable
  --reset                    deletes all data and creates the sample customers again
  --help                     shows this text

The environment variable DATA_FOLDER sets the folder of the data; the default is .local.
`;
}

/** A port as the user gives it. */
interface PortChoice {
  readonly text: string;
  /** The option or environment variable that has the text. */
  readonly source: string;
}

/** Returns the ports that options, environment variables or defaults choose. */
export function portChoices(values: PortValues): Record<ServerName, PortChoice> {
  const choices = SERVERS.map((server) => {
    const { flag, variable, defaultPort } = PORTS[server];
    const option = values[flag];
    return [
      server,
      option === undefined
        ? { text: process.env[variable] || String(defaultPort), source: variable }
        : { text: option, source: `--${flag}` },
    ];
  });
  return Object.fromEntries(choices) as Record<ServerName, PortChoice>;
}

/**
 * Parses port numbers.
 *
 * @throws UsageError about all texts that are not port numbers, and all ports that are chosen twice; 0, any
 * free port, may be.
 */
export function parsePorts<Name extends string>(
  choices: Readonly<Record<Name, PortChoice>>,
): Record<Name, number> {
  const faults: string[] = [];
  const ports = Object.entries<PortChoice>(choices).map(([name, { text, source }]) => {
    const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(port <= MAX_PORT))
      faults.push(`${source} must be a port from 0 to ${MAX_PORT}; got \`${text}\`.`);
    return [name, port] as const;
  });
  const sources = Object.values<PortChoice>(choices).map(({ source }) => source);
  for (const [index, [, port]] of ports.entries()) {
    const first = ports.findIndex(([, other]) => other === port);
    if (!port || first === index) continue;
    faults.push(
      `${sources[first]} and ${sources[index]} are both ${port}; choose different ports.`,
    );
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return Object.fromEntries(ports) as Record<Name, number>;
}

/**
 * Checks that all ports are free, which takes no time, before anything is started or deleted.
 *
 * @param command the command that the user ran, such as `npm start`.
 * @throws UsageError about all ports that are in use, with an option for each.
 */
export async function checkPorts(ports: Ports, command: string): Promise<void> {
  const isTaken = await Promise.all(SERVERS.map((server) => isInUse(ports[server])));
  const taken = SERVERS.filter((_, index) => isTaken[index]);
  if (taken.length > 0) throw takenPortsError(ports, taken, command);
}

/** Returns whether a port is in use. What else is wrong with it, the start itself says. */
async function isInUse(port: number): Promise<boolean> {
  const probe = createServer().listen(port, HOST);
  try {
    await once(probe, 'listening');
  } catch (error) {
    return (error as ListenError).code === 'EADDRINUSE';
  }
  await once(probe.close(), 'close');
  return false;
}

/**
 * Returns the origins whose pages may call the API (CORS).
 *
 * @throws UsageError if one is not an origin.
 */
export function browserOriginsOf(values: { 'browser-origin'?: string[] }): readonly string[] {
  const origins = values['browser-origin'] ?? [];
  const wrong = origins.filter((text) => !URL.canParse(text) || new URL(text).origin !== text);
  if (wrong.length > 0) {
    throw new UsageError(
      `--browser-origin must be an origin, such as http://localhost:5173; got \`${wrong.join('`, `')}\`.`,
    );
  }
  return origins;
}

/** Option that only `npm start` has. */
export const CUSTOMERS_OPTION = { customers: { type: 'string' } } as const;
export const CUSTOMERS_HELP =
  '  --customers <number>       adds invented customers to the sample merchant, up to this id\n';
/** A million customers take 2 GB on disk. */
const MAX_CUSTOMERS = 1_000_000;

/**
 * Returns the id up to which to add customers; undefined if the option is not given.
 *
 * @throws UsageError if it is not a number of customers.
 */
export function customersOf({ customers }: { customers?: string }): number | undefined {
  if (customers === undefined) return undefined;
  const number = /^\d+$/.test(customers) ? Number(customers) : Number.NaN;
  if (number >= 1 && number <= MAX_CUSTOMERS) return number;
  throw new UsageError(
    `--customers must be an integer from 1 to ${MAX_CUSTOMERS}; got \`${customers}\`.`,
  );
}

/**
 * Turns an error that the user can correct (a port or the data folder is in use, or the data is of
 * an older version) into a UsageError that says how. Returns any other error as it is.
 *
 * @param command the command that the user ran, such as `npm start`.
 */
export function explainStartError(error: Error, ports: Ports, command: string): Error {
  if (error instanceof DataInUseError) {
    return new UsageError(`${error.message}
Stop the other npm start or npm run dev first. If none is running, the data is damaged: delete
${DATA_FOLDER} and start again.`);
  }
  if (error instanceof OldTableError) {
    return new UsageError(`${error.message}
To delete all data in ${DATA_FOLDER} and create the sample customers again:

  ${command} -- --reset`);
  }
  const { port, code } = error as ListenError;
  const server = SERVERS.find((name) => ports[name] === port);
  if (!port || !server) return error;
  if (code === 'EADDRINUSE') return takenPortsError(ports, [server], command);
  return new UsageError(
    `Port ${port} of ${PORTS[server].label} cannot be used (${code}). Choose another port:

  ${command} -- ${otherPort(ports, server)}`,
  );
}

function takenPortsError(ports: Ports, taken: readonly ServerName[], command: string): UsageError {
  const named = taken.map((server) => `ort ${ports[server]} of ${PORTS[server].label}`);
  const isOne = taken.length === 1;
  return new UsageError(
    `P${named.join(' and p')} ${isOne ? 'is' : 'are'} already in use. If that is another npm start of this folder, stop it: two cannot share their data.
Otherwise choose ${isOne ? 'another port' : 'other ports'}:

  ${command} -- ${taken.map((server) => otherPort(ports, server)).join(' ')}`,
  );
}

/** Returns the option that chooses another port for a server. */
function otherPort(ports: Ports, server: ServerName): string {
  const port = ports[server];
  return `--${PORTS[server].flag} ${port + 100 > MAX_PORT ? port - 100 : port + 100}`;
}
