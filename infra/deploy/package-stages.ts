import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { build } from 'esbuild';
import cdk from '../../cdk.json' with { type: 'json' };
import { addCustomerRegister } from '../add-customer-register.ts';
import { firstSettings, type Settings } from '../settings.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Scripts that run from the deployable, without another module. */
const SCRIPTS = ['deploy', 'plan', 'smoke'];

/**
 * Writes a folder from which stages are deployed without the repository or its packages: the cloud
 * assemblies, the CDK's CLI and the scripts. Of a protected stage there are two assemblies, the
 * second, `<stage>-first`, for its creation.
 *
 * @param folder is deleted before.
 * @param bundles folder with the bundles of all functions; see `bundleFunctions`.
 * @param build name of the build, such as the id of the workflow's run.
 * @throws Error that lists the findings of cdk-nag.
 */
export async function packageStages(
  folder: string,
  stages: readonly Settings[],
  bundles: string,
  build?: string,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const synthesize = (settings: Settings, name: string) => {
    const app = new App({ context: cdk.context, outdir: join(folder, name) });
    addCustomerRegister(app, { settings, bundles, build });
    app.synth();
  };
  for (const settings of stages) {
    synthesize(settings, settings.stage);
    if (settings.protected) synthesize(firstSettings(settings), `${settings.stage}-first`);
  }
  cpSync(join(ROOT, 'node_modules/aws-cdk'), join(folder, 'cdk'), { recursive: true });
  await bundleScripts(folder);
}

async function bundleScripts(folder: string): Promise<void> {
  await build({
    entryPoints: SCRIPTS.map((name) => join(import.meta.dirname, `${name}.ts`)),
    bundle: true,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
}
