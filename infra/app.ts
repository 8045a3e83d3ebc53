import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleFunctions } from './bundle/bundle.ts';
import { readSettings } from './settings.ts';
import { CustomerRegister } from './stack.ts';

const app = new App();
const { folder } = await bundleFunctions();
new CustomerRegister(app, readSettings(app.node, folder));
// A finding of the rules that no construct acknowledges with its reason fails the synthesis.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
