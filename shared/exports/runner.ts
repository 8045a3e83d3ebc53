import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { ExportOrder } from './job.ts';

/** Two tries fit into the time that handing over has. */
const lambda = new LambdaClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
});

/**
 * Has an export go on in the durable function. Lambda starts one execution for one name, so that
 * an order that is sent again, because its answer was lost, makes no second file.
 *
 * @param runner ARN of the durable function.
 */
export async function startRunner(runner: string, order: ExportOrder): Promise<void> {
  await lambda.send(
    new InvokeCommand({
      FunctionName: runner,
      InvocationType: 'Event',
      DurableExecutionName: order.id,
      Payload: JSON.stringify(order),
    }),
  );
}
