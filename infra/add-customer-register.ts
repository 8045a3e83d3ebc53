import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  CustomerRegisterStack,
  type CustomerRegisterStackProps,
} from './customer-register-stack.ts';

/**
 * Adds the stack of a stage to an app, whose synthesis fails on any finding of cdk-nag's rules that
 * no construct acknowledges with a reason.
 */
export function addCustomerRegister(app: App, props: CustomerRegisterStackProps): void {
  new CustomerRegisterStack(app, `CustomerRegister-${props.settings.stage}`, props);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
