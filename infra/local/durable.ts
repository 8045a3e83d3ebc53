import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type {
  DurableExecutionInvocationInput,
  DurableExecutionInvocationOutput,
  OperationUpdate,
} from '@aws/durable-execution-sdk-js';
import { LONG_EXPORT_TIMEOUT_HOURS } from '../capacity.ts';
import { END_FAILED_JOB, EXPORT_WORKER, IMPORT_PLANNER, IMPORT_WORKER } from '../endpoints.ts';
import {
  applyCheckpoint,
  applyOutput,
  checkpointToken,
  completeDueOperations,
  type DeadStatus,
  deadLetterEvent,
  type Execution,
  msUntilDue,
  newExecution,
  owesDeadLetter,
  startTime,
} from './durable-execution.ts';
import { FunctionThreads } from './function-threads.ts';

/** Operations in the event of a run; the function requests the rest. */
const FIRST_OPERATIONS = 100;
/** Delay before a failed run is retried; it doubles up to a minute. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** Times that Lambda calls a function with a dead letter, until it succeeds. */
const DEAD_LETTER_ATTEMPTS = 3;
const moduleOf = (name: string) => new URL(`../../functions/${name}/handler.ts`, import.meta.url);
type Modules = Readonly<Record<string, URL>>;
const WORKERS = [EXPORT_WORKER, IMPORT_PLANNER, IMPORT_WORKER];
const FUNCTIONS: Modules = Object.fromEntries(WORKERS.map((name) => [name, moduleOf(name)]));
const DEAD_LETTER_FUNCTIONS: Modules = Object.fromEntries(
  WORKERS.map((name) => [name, moduleOf(END_FAILED_JOB)]),
);
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export interface DurableOptions {
  /** Folder for the state of executions; in memory if not given. */
  readonly folder?: string | undefined;
  /** Modules of the durable functions by name; by default those of the stack. */
  readonly functions?: Modules;
  /** Time after which an execution is ended, in milliseconds; by default that of the stack. */
  readonly executionTimeoutMs?: number;
  /** Calls the handler of a module; by default in a thread of its own. */
  readonly call?: FunctionThreads['call'];
}

/** There is no durable function of this name. */
export class UnknownFunctionError extends Error {}

/** The name of an execution, which is part of its file's name, is not a UUID. */
export class ExecutionNameError extends Error {}

/** An execution of the same name has another payload. */
export class AlreadyStartedError extends Error {}

/**
 * Runs durable functions as Lambda does: stores their checkpoints, and calls a function again when
 * its waits have ended or its run has failed. The payload of an execution that ends without a result
 * goes to a dead-letter function. The runs are in threads of their own.
 */
export class DurableFunctions {
  readonly #executions = new Map<string, Execution>();
  readonly #ending = new AbortController();
  /** Aborts the runs of an execution that is to end, by its name. */
  readonly #stopping = new Map<string, AbortController>();
  readonly #runs = new Set<Promise<void>>();
  readonly #threads = new FunctionThreads();
  #saved = Promise.resolve();
  readonly #folder: string | undefined;
  readonly #functions: ReadonlyMap<string, URL>;
  readonly #executionTimeoutMs: number;
  readonly #call: FunctionThreads['call'];

  constructor({
    folder,
    functions = FUNCTIONS,
    executionTimeoutMs = LONG_EXPORT_TIMEOUT_HOURS * 3_600_000,
    call = (...args) => this.#threads.call(...args),
  }: DurableOptions) {
    this.#call = call;
    this.#folder = folder;
    this.#executionTimeoutMs = executionTimeoutMs;
    this.#functions = new Map(Object.entries(functions));
  }

  /**
   * Loads the executions from the folder that run or whose dead letter is not sent, and deletes its
   * other files.
   */
  async load(): Promise<void> {
    const folder = this.#folder;
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      const execution: Execution | undefined = name.endsWith('.json')
        ? JSON.parse(await readFile(file, 'utf8'))
        : undefined;
      const isOpen =
        execution &&
        (execution.status === 'RUNNING' || this.#deadLetterFunction(execution)) &&
        this.#functions.has(execution.functionName) &&
        name === `${execution.name}.json`;
      if (isOpen) this.#executions.set(execution.name, execution);
      else await rm(file);
    }
  }

  /** Continues the loaded executions. */
  resume(): void {
    for (const execution of this.#executions.values()) this.#continue(execution);
  }

  /**
   * Starts an execution, unless one of this name exists.
   *
   * @param name a UUID.
   * @returns its ARN.
   * @throws AlreadyStartedError if that was started with another payload.
   * @throws UnknownFunctionError, ExecutionNameError
   */
  async start(functionName: string, name: string, payload: string): Promise<string> {
    if (!this.#functions.has(functionName))
      throw new UnknownFunctionError(`Function not found: ${functionName}`);
    if (!UUID.test(name)) {
      throw new ExecutionNameError(
        `The name of a durable execution must be a UUID; got \`${name}\`.`,
      );
    }
    const existing = this.#executions.get(name);
    if (existing && existing.payload !== payload)
      throw new AlreadyStartedError(`The execution ${name} exists with another payload.`);
    if (existing) return existing.arn;
    const execution = newExecution(functionName, name, payload);
    this.#executions.set(name, execution);
    await this.#save(execution);
    this.#continue(execution);
    return execution.arn;
  }

  /**
   * Applies and stores a checkpoint of a run.
   *
   * @returns the token for the next one, and the operations that have changed.
   * @throws CheckpointError if it is invalid.
   */
  async checkpoint(arn: string, token: string, updates: readonly OperationUpdate[]) {
    const execution = this.get(arn);
    const operations = applyCheckpoint(execution, token, updates);
    await this.#save(execution);
    return { token: checkpointToken(execution), operations };
  }

  /** Returns the state of an execution. @throws Error if there is none of this ARN. */
  get(arn: string): Execution {
    const execution = [...this.#executions.values()].find((existing) => existing.arn === arn);
    if (!execution) throw new Error(`The execution ${arn} does not exist.`);
    return execution;
  }

  /** Stops an execution for good. @throws Error if there is none of this ARN. */
  async stop(arn: string): Promise<void> {
    await this.#end(this.get(arn), 'STOPPED');
  }

  /** Stops every run at once; the next start continues them. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#runs);
    await this.#threads.close();
  }

  /** Resolves when all executions are stored as they are; the next start reads and deletes their files. */
  async saved(): Promise<void> {
    await this.#saved.catch(() => {});
  }

  #continue(execution: Execution): void {
    const run = this.#runAndEnd(execution).catch((error) => {
      if (!this.#ending.signal.aborted) console.error(error);
    });
    this.#runs.add(run);
    run.finally(() => this.#runs.delete(run));
  }

  async #runAndEnd(execution: Execution): Promise<void> {
    const stopping = new AbortController();
    this.#stopping.set(execution.name, stopping);
    const signal = AbortSignal.any([this.#ending.signal, stopping.signal]);
    const msLeft = startTime(execution) + this.#executionTimeoutMs - Date.now();
    const timeout = globalThis.setTimeout(() => {
      this.#end(execution, 'TIMED_OUT').catch(console.error);
    }, msLeft);
    try {
      await this.#runUntilEnded(execution, signal);
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    } finally {
      clearTimeout(timeout);
      this.#stopping.delete(execution.name);
    }
    await this.#sendDeadLetter(execution);
  }

  /** Ends an execution without a result, unless it has ended. */
  async #end(execution: Execution, status: DeadStatus): Promise<void> {
    if (execution.status !== 'RUNNING') return;
    execution.status = status;
    this.#stopping.get(execution.name)?.abort();
    await this.#save(execution);
  }

  /** Returns the function that has yet to get the payload of an execution, if that is dead. */
  #deadLetterFunction(execution: Execution): URL | undefined {
    return owesDeadLetter(execution) ? DEAD_LETTER_FUNCTIONS[execution.functionName] : undefined;
  }

  /** Calls the dead-letter function, if the execution is dead and has one; else the next start does. */
  async #sendDeadLetter(execution: Execution): Promise<void> {
    const { signal } = this.#ending;
    const module = this.#deadLetterFunction(execution);
    if (!module) return;
    for (let attempt = 1; attempt <= DEAD_LETTER_ATTEMPTS; attempt += 1) {
      try {
        await this.#call(module, deadLetterEvent(execution), signal);
        execution.deadLetterSent = true;
        return await this.#save(execution);
      } catch (error) {
        signal.throwIfAborted();
        console.error(error);
        await setTimeout(FIRST_RETRY_MS * attempt, undefined, { signal });
      }
    }
  }

  async #runUntilEnded(execution: Execution, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (execution.status === 'RUNNING') {
      const { version } = execution;
      try {
        applyOutput(execution, await this.#run(execution, signal));
        await this.#save(execution);
      } catch (error) {
        signal.throwIfAborted();
        console.error(error);
        // The start of the run adds one version; more mean that it has stored a checkpoint.
        failures = execution.version > version + 1 ? 1 : failures + 1;
        const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
        await setTimeout(wait, undefined, { signal });
      }
      await setTimeout(msUntilDue(execution), undefined, { signal });
    }
  }

  /** Calls the function once. @throws if it ends without a result. */
  async #run(execution: Execution, signal: AbortSignal): Promise<DurableExecutionInvocationOutput> {
    completeDueOperations(execution);
    // Invalidates the tokens of an earlier run, which may still send checkpoints.
    execution.version += 1;
    const { functionName: name, arn, operations } = execution;
    const event: DurableExecutionInvocationInput = {
      DurableExecutionArn: arn,
      CheckpointToken: checkpointToken(execution),
      InitialExecutionState: {
        Operations: operations.slice(0, FIRST_OPERATIONS),
        ...(operations.length > FIRST_OPERATIONS && { NextMarker: String(FIRST_OPERATIONS) }),
      },
    };
    const output = this.#call(this.#functions.get(name) as URL, event, signal);
    return output as Promise<DurableExecutionInvocationOutput>;
  }

  /** Stores an execution, one after the other: it may end while a checkpoint is stored. */
  #save(execution: Execution): Promise<void> {
    this.#saved = this.#saved.catch(() => {}).then(() => this.#write(execution));
    return this.#saved;
  }

  async #write(execution: Execution): Promise<void> {
    if (!this.#folder) return;
    const file = join(this.#folder, `${execution.name}.json`);
    // A rename is atomic: a crash never leaves half a file.
    await writeFile(`${file}.new`, JSON.stringify(execution), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}
