import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  CustomerRegisterStack,
  type CustomerRegisterStackProps,
} from './customer-register-stack.ts';
import { EdgeStack } from './edge-stack.ts';
import { EDGE_REGION } from './settings.ts';

/**
 * Adds the stack of a stage to an app, and that of its edge if it has one. The app's synthesis fails on any finding of cdk-nag's rules that
 * no construct acknowledges with a reason.
 */
export function addCustomerRegister(app: App, props: CustomerRegisterStackProps): void {
  const { settings } = props;
  const { stage, env, edge, domain } = settings;
  const stack = new CustomerRegisterStack(app, `CustomerRegister-${stage}`, props);
  if (env && edge && domain) {
    const { account } = env;
    new EdgeStack(app, `CustomerRegister-${stage}-edge`, {
      env: { account, region: EDGE_REGION },
      settings,
      edge,
      origin: domain,
    }).addStackDependency(stack);
  }
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
