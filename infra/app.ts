import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleFunctions } from './bundle/bundle.ts';
import { CustomerRegisterStack } from './customer-register-stack.ts';
import { readSettings } from './settings.ts';

const app = new App();
const settings = readSettings(app.node);
const { folder: bundles } = await bundleFunctions();
new CustomerRegisterStack(app, `CustomerRegister-${settings.stage}`, { settings, bundles });
// Synthesis fails on any finding of these rules that no construct acknowledges with a reason.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
