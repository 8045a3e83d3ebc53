/**
 * Generates clients from the OpenAPI document, and makes real calls with each against a local stack:
 * `npm run test:clients`, or `npm run test:clients -- typescript php` for some. A client whose tools
 * are missing is skipped, with the reason.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalStack } from '../../infra/local/stack.ts';

const FOLDER = import.meta.dirname;
const DOCUMENT = join(FOLDER, '../../shared/openapi.json');
const GENERATED = join(FOLDER, '.local');
const PACKAGES = join(FOLDER, 'node_modules');

const OPENAPI_GENERATOR = '7.25.0';
const GENERATOR_JAR = join(GENERATED, `openapi-generator-cli-${OPENAPI_GENERATOR}.jar`);
const OPENAPI_PYTHON_CLIENT = '0.29.1';
const PYTHON_FOLDER = join(GENERATED, `python-${OPENAPI_PYTHON_CLIENT}`);

/** A generated client. */
interface GeneratedClient {
  /** Commands without which it is skipped, each with the arguments of a trial. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
  /** Writes the client and compiles what must be compiled. */
  readonly generate: (folder: string) => Promise<void>;
  /** Command that makes the calls, with API_URL and API_TOKEN in its environment. */
  readonly calls: (folder: string) => readonly [command: string, ...args: string[]];
}

const CLIENTS: Readonly<Record<string, GeneratedClient>> = {
  typescript: {
    needs: {},
    generate: async (folder) => {
      const generator = join(PACKAGES, 'openapi-typescript/bin/cli.js');
      await run(process.execPath, [generator, DOCUMENT, '--output', join(folder, 'api.d.ts')]);
      const compiler = join(PACKAGES, 'typescript/bin/tsc');
      await run(process.execPath, [compiler, '--project', join(FOLDER, 'typescript')]);
    },
    calls: () => [process.execPath, join(FOLDER, 'typescript/calls.ts')],
  },
  php: {
    needs: {
      java: ['-version'],
      mvn: ['--version'],
      // The generated client's HTTP client, on the include path: Debian's php-guzzlehttp-guzzle.
      php: ['-r', "require 'GuzzleHttp/autoload.php'; new GuzzleHttp\\Client();"],
    },
    generate: (folder) => generateByJar('php', folder),
    calls: (folder) => ['php', join(FOLDER, 'php/calls.php'), folder],
  },
  python: {
    needs: { python3: ['-c', 'import ensurepip, venv'] },
    generate: async (folder) => {
      const python = await installPythonGenerator();
      const generator = [
        '-m',
        'openapi_python_client',
        'generate',
        ...['--meta=none', '--overwrite'],
        `--config=${join(FOLDER, 'python/generator.yaml')}`,
        `--path=${DOCUMENT}`,
        `--output-path=${join(folder, 'merchant_customers_client')}`,
      ];
      await run(python, generator);
      cpSync(join(FOLDER, 'python/calls.py'), join(folder, 'calls.py'));
    },
    calls: (folder) => [join(PYTHON_FOLDER, 'bin/python'), join(folder, 'calls.py')],
  },
  java: {
    needs: { java: ['-version'], mvn: ['--version'] },
    generate: async (folder) => {
      await generateByJar('java', folder);
      cpSync(join(FOLDER, 'java/Calls.java'), join(folder, 'src/main/java/Calls.java'));
      const goals = ['compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath'];
      await run('mvn', ['--quiet', '--batch-mode', ...goals], folder);
    },
    calls: (folder) => {
      const classpath = `${join(folder, 'target/classes')}:${readFileSync(join(folder, 'classpath'), 'utf8')}`;
      return ['java', '-classpath', classpath, 'Calls'];
    },
  },
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(CLIENTS, name));
if (unknown.length > 0) {
  throw new Error(`There is no client ${unknown}; there are ${Object.keys(CLIENTS).join(', ')}.`);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const stack = await startLocalStack();
try {
  for (const [name, client] of Object.entries(CLIENTS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const result = await test(name, client);
    counts[result] += 1;
  }
} finally {
  await stack.close();
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
if (counts.failed > 0) process.exitCode = 1;

async function test(name: string, client: GeneratedClient): Promise<keyof typeof counts> {
  for (const [command, trial] of Object.entries(client.needs)) {
    const failure = await run(command, trial).then(() => undefined, String);
    if (failure === undefined) continue;
    console.log(`${name}: skipped, since \`${command} ${trial.join(' ')}\` fails on this machine.`);
    return 'skipped';
  }
  const folder = join(GENERATED, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await client.generate(folder);
    const [command, ...args] = client.calls(folder);
    // Each client has a merchant of its own.
    const token = await stack.token({ merchant: `client-${name}` });
    await run(command, args, FOLDER, { API_URL: stack.url, API_TOKEN: token });
    console.log(`${name}: generated, and its calls are answered as expected.`);
    return 'passed';
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    console.error(`${name}: ${error}\n${stdout}${stderr}`);
    return 'failed';
  }
}

/** Runs a command to its end; the stack in this process goes on meanwhile. */
async function run(
  command: string,
  args: readonly string[],
  cwd = FOLDER,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  await promisify(execFile)(command, args, {
    cwd,
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Generates a client by openapi-generator, which Maven fetches once. */
async function generateByJar(generator: string, folder: string): Promise<void> {
  if (!existsSync(GENERATOR_JAR)) {
    const artifact = `org.openapitools:openapi-generator-cli:${OPENAPI_GENERATOR}`;
    const to = `-DoutputDirectory=${GENERATED}`;
    await run('mvn', ['--quiet', '--batch-mode', 'dependency:copy', `-Dartifact=${artifact}`, to]);
  }
  const args = ['generate', '-i', DOCUMENT, '-g', generator, '-o', folder];
  await run('java', ['-jar', GENERATOR_JAR, ...args]);
}

/** Installs openapi-python-client once, and returns the Python that has it. */
async function installPythonGenerator(): Promise<string> {
  const python = join(PYTHON_FOLDER, 'bin/python');
  const marker = join(PYTHON_FOLDER, 'installed');
  if (!existsSync(marker)) {
    rmSync(PYTHON_FOLDER, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', PYTHON_FOLDER]);
    const requirement = `openapi-python-client==${OPENAPI_PYTHON_CLIENT}`;
    await run(python, ['-m', 'pip', '--quiet', 'install', requirement]);
    writeFileSync(marker, '');
  }
  return python;
}
