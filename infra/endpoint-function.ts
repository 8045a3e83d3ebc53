import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import {
  BundledFunction,
  type BundledFunctionProps,
  type LatencyThreshold,
} from './bundled-function.ts';
import type { Endpoint } from './endpoints.ts';
import { claimVariables, contractVariables, hostVariables } from './environment.ts';
import {
  acknowledgeFilePrefix,
  contractStatements,
  type FunctionContract,
  type Resources,
} from './permissions.ts';
import { registerStatements, registerVariables } from './registers.ts';
import type { Settings } from './settings.ts';

/** Options of every function behind the API. */
export const API_FUNCTION_OPTIONS = {
  /** Less than API Gateway's 30 seconds, so that the function's log shows the timeout. */
  timeout: Duration.seconds(29),
  /** Lambda allots CPU by memory: functions start and respond faster with more. */
  memorySize: 1_024,
  /** More than a call takes if DynamoDB throttles it, see `CAPACITY`. */
  latencyThreshold: { p99Ms: 3_000, periods: 3 },
} as const;

/** One vCPU, which is what limits an export. */
export const EXPORT_MEMORY_MB = 1_769;

/** Near the timeout: an export takes seconds. */
const EXPORT_LATENCY_THRESHOLD: LatencyThreshold = { p99Ms: 25_000, periods: 1 };

export interface EndpointFunctionProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {
  readonly endpoint: Endpoint;
  readonly resources: Resources;
}

/** Lambda function of an endpoint. Its environment and permissions follow from the contract. */
export class EndpointFunction extends BundledFunction {
  readonly endpoint: Endpoint;

  constructor(scope: Construct, id: string, props: EndpointFunctionProps) {
    const { settings, bundles, endpoint, resources } = props;
    const asksRegisters = endpoint.table?.companies !== undefined;
    super(scope, id, {
      settings,
      bundles,
      name: endpoint.function,
      description: `${endpoint.method} ${endpoint.path}`,
      ...API_FUNCTION_OPTIONS,
      ...((endpoint.files === 'write' || endpoint.readsAll) && {
        memorySize: EXPORT_MEMORY_MB,
        latencyThreshold: EXPORT_LATENCY_THRESHOLD,
      }),
      ...reservedConcurrency(endpoint, settings),
      environment: {
        ...claimVariables(settings),
        ...hostVariables(settings),
        ...contractVariables(endpoint, resources, settings),
        ...(asksRegisters && registerVariables(settings.registers)),
      },
      statements: [
        ...contractStatements(endpoint, resources),
        ...(asksRegisters ? registerStatements(scope, settings.registers) : []),
      ],
    });
    this.endpoint = endpoint;
    acknowledgeFilePrefix(this, endpoint, resources.bucket);
  }
}

/**
 * Returns the reserved concurrency of a function: none in a closed deployment if it changes
 * customers, so that Lambda rejects all of its calls, and that of the settings if it writes files or
 * snapshots.
 */
export function reservedConcurrency(
  { table, files, snapshots }: FunctionContract,
  { closed, reserveExports }: Settings,
): Pick<BundledFunctionProps, 'reservedConcurrentExecutions'> {
  if (closed && table?.actions?.some((action) => /Put|Update|Delete/.test(action))) {
    return { reservedConcurrentExecutions: 0 };
  }
  return (files === 'write' || snapshots === 'write') && reserveExports > 0
    ? { reservedConcurrentExecutions: reserveExports }
    : {};
}
