import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createFakeAws, type FakeAccount } from '../support/fake-aws.ts';
import type { Json } from '../support/synthesize.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = globSync('.github/workflows/*.yml', { cwd: ROOT }).toSorted();
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Json;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly needs?: string | string[];
  readonly steps: readonly Step[];
}
const jobsOf = (file: string): [string, Job][] => Object.entries(parse(text(file)).jobs);
const jobs = FILES.flatMap((file) => jobsOf(file).map(([name, job]) => ({ file, name, job })));
const deployJobs = Object.fromEntries(jobsOf('.github/workflows/deploy.yml'));
/** Jobs that can exchange GitHub's token for a role of AWS. */
const privileged = jobs.filter(({ job }) => job.permissions?.['id-token'] === 'write');

describe('The workflows', () => {
  test('use actions by the commit of a version, which a comment names', () => {
    const uses = FILES.flatMap((file) => text(file).match(/^.*\buses:.*$/gm) ?? []);
    expect(uses.length).toBeGreaterThan(10);
    for (const line of uses) {
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
    // One action has one version, so that a reader checks each once.
    const pins = new Set(uses.map((line) => line.replace(/^.*uses: /, '')));
    const actions = new Set([...pins].map((pin) => pin.split('@')[0]));
    expect(pins.size).toBe(actions.size);
  });

  test('grant each job the permissions that it needs, with a reason, and no others', () => {
    for (const file of FILES) {
      expect(parse(text(file)).permissions).toEqual({});
      for (const line of text(file).match(/^ +[\w-]+: (?:read|write)\b.*$/gm) ?? []) {
        expect(line).toMatch(/: (?:read|write) # \w/);
      }
    }
    for (const { job } of jobs) expect(job.permissions).toBeDefined();
  });

  test('install no packages where a role can be assumed', () => {
    expect(privileged.map(({ name }) => name).toSorted()).toEqual(
      ['dev', 'drift', 'plan', 'prod', 'suite'].toSorted(),
    );
    for (const { job } of privileged) {
      const commands = job.steps.map(({ run = '' }) => run).join('\n');
      expect(commands).not.toMatch(/\b(?:npm|npx|yarn|pnpm|pip|\.ci\/run)\b/);
    }
  });

  test('deploy from a build of a job without a role, and without the repository', () => {
    for (const name of ['dev', 'plan', 'prod']) {
      const actions = deployJobs[name]?.steps.flatMap(({ uses = [] }) => uses).join('\n');
      expect(actions).not.toMatch(/actions\/(?:checkout|setup-node)@/);
      expect(actions).toMatch(/actions\/download-artifact@/);
    }
  });

  test('keep no credentials of GitHub in a checkout, and read no secret of GitHub', () => {
    for (const { job } of jobs) {
      for (const step of job.steps) {
        if (!step.uses?.startsWith('actions/checkout@')) continue;
        expect(step.with).toMatchObject({ 'persist-credentials': false });
      }
    }
    for (const file of FILES) expect(text(file)).not.toContain('secrets.');
  });

  test('run in each step one command of the repository', () => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts);
    const commands = jobs.flatMap(({ job }) => job.steps.flatMap(({ run = [] }) => run));
    for (const command of commands) {
      expect(command.trim()).not.toMatch(/\n|&&|;|\|/);
      const [, npm] = /^npm run ([\w:]+)/.exec(command) ?? [];
      const [, script] = /node (?:before\/)?([\w/-]+)\.(?:ts|mjs)/.exec(command) ?? [];
      if (npm) expect(scripts).toContain(npm);
      else if (script) {
        expect(existsSync(join(ROOT, 'infra/deploy', `${script.split('/').at(-1)}.ts`))).toBe(true);
      } else expect(command).toMatch(/^(?:\.ci\/run|npm ci|npm audit|tar -xzf) ?/);
    }
  });

  test('deploy production after dev, its tests and an approval that sees the plan', () => {
    const needs = (name: string) => [deployJobs[name]?.needs ?? []].flat();
    expect(needs('dev')).toEqual(['build']);
    expect(needs('suite')).toEqual(['dev']);
    expect(needs('plan')).toContain('suite');
    expect(needs('prod')).toEqual(['plan']);
    const environments = ['dev', 'suite', 'plan', 'prod'].map(
      (name) => deployJobs[name]?.environment,
    );
    expect(environments).toEqual(['dev', 'dev-suite', 'prod-plan', 'prod']);
  });

  test('deploy the previous build again if production fails its smoke test', () => {
    const steps = deployJobs.prod?.steps ?? [];
    const position = (id: string) => steps.findIndex((step) => step.id === id);
    expect(position('deploy')).toBeLessThan(position('smoke'));
    const after = steps.slice(position('smoke') + 1);
    for (const step of after) {
      expect(step.if).toContain("steps.smoke.outcome == 'failure'");
      expect(step.if).toContain('steps.deploy.outputs.previous');
    }
    expect(after.at(-1)?.run).toBe('node before/deploy.mjs --stage prod --no-watch');
  });

  test('watch alarms in each deployment of a push, and by hand unless told otherwise', () => {
    const deploy = deployJobs.prod?.steps.find(({ id }) => id === 'deploy');
    const [, expression = ''] = /^\$\{\{ (.*) \}\}$/.exec(deploy?.env?.WATCH ?? '') ?? [];
    // GitHub's operators are JavaScript's here; a missing input is null, which equals false.
    const option = (event_name: string, watch: boolean | null) =>
      new Function('github', 'inputs', `return ${expression}`)({ event_name }, { watch });
    expect(option('push', null)).toBe('--watch');
    expect(option('workflow_dispatch', true)).toBe('--watch');
    expect(option('workflow_dispatch', false)).toBe('--no-watch');
  });

  test('deploy the build of an earlier run without building and testing again', () => {
    expect(deployJobs.build).toMatchObject({ if: expect.stringContaining('!inputs.run') });
    expect(deployJobs.find).toMatchObject({ if: expect.stringContaining('inputs.run') });
    for (const name of ['plan', 'prod']) {
      const [download] = deployJobs[name]?.steps ?? [];
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub Actions
      expect(download?.with?.['run-id']).toBe('${{ inputs.run || github.run_id }}');
    }
  });
});

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** Starts GitHub's API with these responses by path, and records what it is sent. */
async function startGitHub(responses: Readonly<Record<string, unknown>>) {
  const posted: { path: string; body: Json }[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url?.replace('/repos/owner/name', '') ?? '';
    if (request.headers.authorization !== 'Bearer of-the-workflow') {
      response.writeHead(401).end('{}');
    } else if (request.method === 'POST') {
      posted.push({ path, body: (await json(request)) as Json });
      response.writeHead(201).end('{}');
    } else {
      response.writeHead(path in responses ? 200 : 404);
      response.end(JSON.stringify(responses[path] ?? {}));
    }
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const environment = {
    ...process.env,
    GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'owner/name',
    GITHUB_RUN_ID: '12',
    GITHUB_TOKEN: 'of-the-workflow',
  };
  return { posted, environment };
}

/** Runs a script of `infra/deploy`, and returns its exit code and output. */
async function run(script: string, env: NodeJS.ProcessEnv, options: readonly string[] = []) {
  const file = join(ROOT, 'infra/deploy', `${script}.ts`);
  const command = promisify(execFile)(process.execPath, [file, ...options], { env });
  const { code = 0, stdout, stderr } = await command.catch((error) => error);
  return { code, output: stdout + stderr };
}

describe('A rollback by hand', () => {
  const PASSED = {
    path: '.github/workflows/deploy.yml',
    head_branch: 'main',
    conclusion: 'success',
    head_repository: { full_name: 'owner/name' },
  };
  const check = async (id: string, changes: object = {}, artifacts = [{ expired: false }]) => {
    const { environment } = await startGitHub({
      '/actions/runs/7': { ...PASSED, ...changes },
      '/actions/runs/7/artifacts?name=deployable': {
        artifacts: artifacts.map((each) => ({ name: 'deployable', ...each })),
      },
    });
    return run('check-run', { ...environment, RUN: id });
  };

  test('takes the build of a run that has passed on main', async () => {
    expect(await check('7')).toEqual({
      code: 0,
      output: 'Run 7 has passed on main; its build is deployed.\n',
    });
  });

  test.each<[object, string]>([
    [{ path: '.github/workflows/check.yml' }, 'is of .github/workflows/check.yml'],
    [{ head_branch: 'topic' }, 'is of topic, not of main'],
    [{ head_repository: { full_name: 'other/name' } }, 'is of another repository'],
    [{ head_repository: null }, 'is of another repository'],
    [{ conclusion: 'failure' }, 'has ended with failure'],
    [{ conclusion: null }, 'has ended with null'],
  ])('refuses a run with %j', async (changes, fault) => {
    const { code, output } = await check('7', changes);
    expect(code).toBe(1);
    expect(output).toContain(fault);
  });

  test('refuses a run whose build has expired, an unknown run and what is no id', async () => {
    expect((await check('7', {}, [{ expired: true }])).output).toContain('has no deployable');
    expect((await check('7', {}, [])).output).toContain('has no deployable');
    expect((await check('8')).output).toContain('GitHub responds with 404');
    const { output } = await check('7/../../issues');
    expect(output).toContain('must be the id of a run; got `7/../../issues`');
  });
});

describe('The daily audit', () => {
  const RESULTS = JSON.stringify({
    advisories: { result: 'failure' },
    drift: { result: 'success' },
  });
  const issues = '/issues?state=open&creator=github-actions[bot]&per_page=100';

  test('opens an issue that names what failed and the run', async () => {
    const { environment, posted } = await startGitHub({ [issues]: [] });
    expect(await run('report-issue', { ...environment, RESULTS })).toEqual({ code: 0, output: '' });
    expect(posted).toEqual([
      {
        path: '/issues',
        body: {
          title: 'The daily audit has findings',
          body: 'Failed: advisories. The log of [the run](https://github.com/owner/name/actions/runs/12) has the findings.',
        },
      },
    ]);
  });

  test('comments on the issue while it is open', async () => {
    const open = [
      { number: 3, title: 'Other' },
      { number: 4, title: 'The daily audit has findings' },
    ];
    const { environment, posted } = await startGitHub({ [issues]: open });
    await run('report-issue', { ...environment, RESULTS });
    expect(posted.map(({ path }) => path)).toEqual(['/issues/4/comments']);
  });

  const drift = (replies: FakeAccount['replies']) => {
    const { environment } = createFakeAws({
      stack: null,
      replies: { 'cloudformation detect-stack-drift': { StackDriftDetectionId: '1' }, ...replies },
    });
    const pauses = { DRIFT_PAUSE_MS: '1', DRIFT_MAX_PAUSES: '3' };
    return run('drift', { ...environment, ...pauses }, ['--stage', 'dev']);
  };
  const status = (DetectionStatus: string) => ({
    'cloudformation describe-stack-drift-detection-status': { DetectionStatus },
  });
  const drifts = (StackResourceDrifts: Json[]) => ({
    'cloudformation describe-stack-resource-drifts': { StackResourceDrifts },
  });
  const DRIFTED = {
    LogicalResourceId: 'Exports25637AFB',
    ResourceType: 'AWS::S3::Bucket',
    StackResourceDriftStatus: 'MODIFIED',
    PropertyDifferences: [{ PropertyPath: '/LifecycleConfiguration' }],
  };

  test('passes a stack that is as its template says', async () => {
    expect(await drift({ ...status('DETECTION_COMPLETE'), ...drifts([]) })).toEqual({
      code: 0,
      output: 'CustomerRegister-dev is as its template says.\n',
    });
  });

  test.each(['DETECTION_COMPLETE', 'DETECTION_FAILED'])(
    'names what has drifted if the detection ends with %s',
    async (end) => {
      const { code, output } = await drift({ ...status(end), ...drifts([DRIFTED]) });
      expect(code).toBe(1);
      expect(output).toContain('AWS::S3::Bucket Exports25637AFB: MODIFIED /LifecycleConfiguration');
    },
  );

  test('does not wait for a detection forever', async () => {
    const { code, output } = await drift(status('DETECTION_IN_PROGRESS'));
    expect(code).toBe(1);
    expect(output).toContain('has not ended the detection');
  });

  test('has nothing to compare before there is a stage prod', async () => {
    const { environment } = createFakeAws({ stack: null });
    expect(await run('drift', environment)).toEqual({
      code: 0,
      output: 'infra/stages.ts has no stage prod.\n',
    });
  });
});

describe('The tests of a deployed API', () => {
  test('are refused for production, whose customers they would delete', async () => {
    const options = ['--stage', 'prod', '--api', 'https://api.example.com'];
    const { code, output } = await run('suite', { ...process.env, API_TOKENS: 'a,b,c' }, options);
    expect(code).toBe(1);
    expect(output).toContain('--stage must be another than prod.');
  });
});
