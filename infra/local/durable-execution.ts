import { randomUUID } from 'node:crypto';
import type {
  DurableExecutionInvocationOutput,
  ErrorObject,
  WireOperation as Operation,
  OperationUpdate,
  WireTimestamp,
} from '@aws/durable-execution-sdk-js';
import type { SNSEvent } from 'aws-lambda';

/** How an execution ends without a result. */
export type DeadStatus = 'FAILED' | 'TIMED_OUT' | 'STOPPED';

/** State of an execution of a durable function. Stored as JSON, with times in ISO 8601. */
export interface Execution {
  /** Idempotency key of the start, chosen by the caller. */
  readonly name: string;
  /** Name of its folder in `functions/`. */
  readonly functionName: string;
  readonly arn: string;
  /** The event of the caller, as JSON. */
  readonly payload: string;
  status: 'RUNNING' | 'SUCCEEDED' | DeadStatus;
  /** Whether the dead-letter function has received the payload of an execution that is dead. */
  deadLetterSent?: boolean;
  /** Result of the function, as JSON. */
  result?: string | undefined;
  error?: ErrorObject | undefined;
  /** The execution itself, then its steps and waits in the order of their start. */
  readonly operations: Operation[];
  /** Number of checkpoints and runs so far. A checkpoint token is valid for the next one only. */
  version: number;
}

/** A checkpoint is invalid. */
export class CheckpointError extends Error {}

/** Creates an execution that starts now. */
export function newExecution(functionName: string, name: string, payload: string): Execution {
  const operation: Operation = {
    Id: randomUUID(),
    Type: 'EXECUTION',
    Status: 'STARTED',
    StartTimestamp: new Date().toISOString(),
    ExecutionDetails: { InputPayload: payload },
  };
  const account = 'arn:aws:lambda:eu-north-1:000000000000';
  return {
    name,
    functionName,
    arn: `${account}:function:${functionName}:1/durable-execution/${name}/${randomUUID()}`,
    payload,
    status: 'RUNNING',
    operations: [operation],
    version: 0,
  };
}

/** Returns the token that the next checkpoint must have. */
export function checkpointToken({ version }: Execution): string {
  return Buffer.from(String(version)).toString('base64');
}

/**
 * Applies a checkpoint to an execution.
 *
 * @returns the operations that it changed, and those whose wait has ended since.
 * @throws CheckpointError for an outdated token, such as that of an abandoned run, and for
 * operations that are neither steps nor waits.
 */
export function applyCheckpoint(
  execution: Execution,
  token: string,
  updates: readonly OperationUpdate[],
): Operation[] {
  if (token !== checkpointToken(execution) || execution.status !== 'RUNNING') {
    throw new CheckpointError('Invalid Checkpoint Token');
  }
  const changed = new Set(updates.map((update) => apply(execution, update)));
  for (const operation of completeDueOperations(execution)) changed.add(operation);
  execution.version += 1;
  return [...changed];
}

/**
 * Applies the output of a run: ends the execution unless the output is `PENDING`, or the execution has
 * ended meanwhile.
 */
export function applyOutput(execution: Execution, output: DurableExecutionInvocationOutput): void {
  if (output.Status === 'PENDING' || execution.status !== 'RUNNING') return;
  execution.status = output.Status;
  if (output.Status === 'SUCCEEDED') execution.result = output.Result;
  else execution.error = output.Error;
}

/** Returns whether an execution is dead and its dead letter is not sent yet. */
export function owesDeadLetter({ status, deadLetterSent }: Execution): boolean {
  return status !== 'RUNNING' && status !== 'SUCCEEDED' && !deadLetterSent;
}

/**
 * Returns the event that the function of the dead-letter topic receives: Lambda publishes the payload
 * of the dead execution, and SNS wraps it.
 */
export function deadLetterEvent({ functionName, payload, error }: Execution): SNSEvent {
  const TopicArn = `arn:aws:sns:eu-north-1:000000000000:${functionName}-dead-letters`;
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: `${TopicArn}:${randomUUID()}`,
        Sns: {
          Type: 'Notification',
          MessageId: randomUUID(),
          TopicArn,
          Message: payload,
          MessageAttributes: {
            RequestID: { Type: 'String', Value: randomUUID() },
            ErrorCode: { Type: 'String', Value: '200' },
            ErrorMessage: { Type: 'String', Value: error?.ErrorMessage ?? '' },
          },
          Timestamp: new Date().toISOString(),
          SignatureVersion: '1',
          Signature: '',
          SigningCertUrl: '',
          UnsubscribeUrl: '',
        },
      },
    ],
  };
}

/** Returns the time at which an execution was started, in milliseconds since 1970. */
export function startTime({ operations: [execution] }: Execution): number {
  return Date.parse(String(execution?.StartTimestamp));
}

/** Completes waits and readies retries that are due, and returns them. */
export function completeDueOperations({ operations }: Execution): Operation[] {
  const now = Date.now();
  return operations.filter((operation) => {
    if (!(Date.parse(String(dueTime(operation))) <= now)) return false;
    operation.Status = operation.Type === 'WAIT' ? 'SUCCEEDED' : 'READY';
    return true;
  });
}

/** Returns the milliseconds until the execution can continue; 0 if it can at once. */
export function msUntilDue({ operations }: Execution): number {
  const due = operations.flatMap((operation) => {
    const time = dueTime(operation);
    return time === undefined ? [] : [Date.parse(String(time))];
  });
  return due.length === 0 ? 0 : Math.max(0, Math.min(...due) - Date.now());
}

/** Returns the time at which the wait of an operation ends, if it waits. */
function dueTime({ Type, Status, StepDetails, WaitDetails }: Operation): WireTimestamp | undefined {
  if (Type === 'STEP' && Status === 'PENDING') return StepDetails?.NextAttemptTimestamp;
  if (Type === 'WAIT' && Status === 'STARTED') return WaitDetails?.ScheduledEndTimestamp;
  return undefined;
}

function apply({ operations }: Execution, update: OperationUpdate): Operation {
  const { Id, ParentId, Name, Type, SubType, Action, Payload, Error: error } = update;
  if (Type !== 'STEP' && Type !== 'WAIT')
    throw new CheckpointError(`The local stack does not support operations of type ${Type}.`);
  let operation = operations.find((known) => known.Id === Id);
  if (!operation) {
    operation = {
      Id,
      ParentId,
      Name,
      Type,
      SubType,
      Status: 'STARTED',
      StartTimestamp: inSeconds(0),
    };
    operations.push(operation);
  }
  if (Type === 'WAIT') {
    operation.WaitDetails = { ScheduledEndTimestamp: inSeconds(update.WaitOptions?.WaitSeconds) };
    return operation;
  }
  const attempts = operation.StepDetails?.Attempt ?? 0;
  if (Action === 'START') {
    operation.Status = 'STARTED';
    operation.StepDetails = { Attempt: attempts };
  } else if (Action === 'RETRY') {
    operation.Status = 'PENDING';
    operation.StepDetails = {
      Attempt: attempts + 1,
      NextAttemptTimestamp: inSeconds(update.StepOptions?.NextAttemptDelaySeconds),
      Error: error,
    };
  } else {
    operation.Status = Action === 'SUCCEED' ? 'SUCCEEDED' : 'FAILED';
    operation.EndTimestamp = inSeconds(0);
    operation.StepDetails = { Attempt: attempts + 1, Result: Payload, Error: error };
  }
  return operation;
}

function inSeconds(seconds = 0): string {
  return new Date(Date.now() + seconds * 1_000).toISOString();
}
