import { App } from 'aws-cdk-lib';
import { addCustomerRegister } from './add-customer-register.ts';
import { bundleFunctions } from './bundle/bundle.ts';
import { readSettings } from './settings.ts';

const app = new App();
const settings = readSettings(app.node);
const { folder: bundles } = await bundleFunctions();
addCustomerRegister(app, { settings, bundles });
