import { DATA_FOLDER } from './data-folder.ts';
import { DataInUseError, OldTableError } from './dynamodb.ts';
import { ISSUER_PORT } from './issuer.ts';
import type { ServerName } from './stack.ts';
import { UsageError } from './usage.ts';

/** The port of each server, and how to choose another one. */
const PORTS = {
  api: { what: 'the API', flag: 'port', variable: 'PORT', usual: 3000 },
  issuer: {
    what: 'the token issuer',
    flag: 'issuer-port',
    variable: 'ISSUER_PORT',
    usual: ISSUER_PORT,
  },
  dynamodb: { what: 'DynamoDB', flag: 'dynamodb-port', variable: 'DYNAMODB_PORT', usual: 3002 },
  s3: { what: 'S3', flag: 's3-port', variable: 'S3_PORT', usual: 3003 },
} as const satisfies Record<ServerName, object>;

/** The port of each server. */
export type Ports = Record<ServerName, number>;

/** Options, for `parseArgs`, of the commands that start the stack. */
export const START_OPTIONS = {
  port: { type: 'string' },
  'issuer-port': { type: 'string' },
  'dynamodb-port': { type: 'string' },
  's3-port': { type: 'string' },
  reset: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Values of the options that choose ports. */
type PortValues = { readonly [server in ServerName as (typeof PORTS)[server]['flag']]?: string };

const SERVERS = Object.keys(PORTS) as ServerName[];
const LAST_PORT = 65_535;
/** The error of a server that cannot listen. */
type ListenError = NodeJS.ErrnoException & { port?: number };

/**
 * Returns the help text of a command that starts the stack.
 *
 * @param head what the command does, and how it is called.
 * @param further lines about options that only this command has.
 */
export function startHelp(head: string, further = ''): string {
  const ports = Object.values(PORTS).map(({ flag, what, usual, variable }) =>
    `  --${flag} <number>`.padEnd(28).concat(`port of ${what}; else ${variable}, else ${usual}`),
  );
  return `${head}

${ports.join('\n')}
${further}  --reset                   deletes all data and creates the sample customers again
  --help                    shows this

The data is in the folder of the environment variable DATA_FOLDER, else in .local.
`;
}

/**
 * Returns the ports that options, environment variables or defaults choose.
 *
 * @throws UsageError if one is not a port number.
 */
export function portsOf(values: PortValues): Ports {
  const ports = SERVERS.map((server) => {
    const { flag, variable, usual } = PORTS[server];
    const text = values[flag] ?? (process.env[variable] || String(usual));
    return [server, parsePort(text, values[flag] === undefined ? variable : `--${flag}`)];
  });
  return Object.fromEntries(ports) as Ports;
}

/**
 * Parses a port number.
 *
 * @param source the option or environment variable that has the text.
 * @throws UsageError if the text is not a port number.
 */
export function parsePort(text: string, source: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= LAST_PORT)) throw new UsageError(`${source}: ${text} is no port number.`);
  return port;
}

/**
 * Turns an error that the user can correct (a port or the data folder is in use, or the data are of
 * an older version) into a UsageError that says how. Returns any other error as it is.
 *
 * @param command the command that the user ran, such as `npm start`.
 */
export function explainStartError(error: Error, ports: Ports, command: string): Error {
  if (error instanceof DataInUseError) {
    return new UsageError(`${error.message}
Probably another npm start or npm run dev is running: end that one first. If none is, the data is
damaged: delete ${DATA_FOLDER} to begin again.`);
  }
  if (error instanceof OldTableError) {
    return new UsageError(`${error.message}
To delete all data in ${DATA_FOLDER} and create the sample customers again:

  ${command} -- --reset`);
  }
  const { port, code } = error as ListenError;
  const server = SERVERS.find((name) => ports[name] === port);
  if (!port || !server) return error;
  const { what, flag } = PORTS[server];
  const reason =
    code === 'EADDRINUSE' ? 'is taken, perhaps by another npm start' : `cannot be used (${code})`;
  const other = port + 100 > LAST_PORT ? port - 100 : port + 100;
  return new UsageError(`Port ${port}, for ${what}, ${reason}. Choose another one with --${flag}:

  ${command} -- --${flag} ${other}`);
}
