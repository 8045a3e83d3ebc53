import type { ImportOptions, Outcome, Result, UndoResult } from './import.ts';

/**
 * States of an import:
 *
 * `awaitingFile` → `reading` → `planned` → `applying` → `applied` → `undoing` → `undone`
 *
 * `reading` may end as `failed`; `applying` and `undoing` may end as `stopped`, from where both
 * continue. An import that is deleted is `canceled`. One whose file or plan is no longer kept is
 * `expired`.
 */
export const IMPORT_STATES = [
  'awaitingFile',
  'reading',
  'planned',
  'applying',
  'applied',
  'undoing',
  'undone',
  'stopped',
  'failed',
  'canceled',
  'expired',
] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** How many rows have each of some outcomes. */
export type Counts<Name extends string> = Readonly<Record<Name, number>>;

/** Something about a file that its sender should know, though its rows can be read. */
export interface ImportWarning {
  /** For programs and translations, such as `sameFileApplied`. */
  readonly code: string;
  /** In English. */
  readonly detail: string;
  /** Id of the import that it is about. */
  readonly import?: string | undefined;
}

/** What is known of a file once it is read. */
export interface FileFacts {
  readonly encoding?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly unknownColumns: readonly string[];
  readonly sheetsNotRead: readonly string[];
  readonly warnings: readonly ImportWarning[];
}

/** Why an import failed or stopped. */
export interface ImportReason {
  /** For programs and translations, such as `noHeader`. */
  readonly code: string;
  /** In English, for the caller. */
  readonly detail: string;
}

/** Code of the reason of an import that its caller has stopped. */
export const STOPPED_BY_REQUEST = 'stoppedByRequest';

/** A complete plan. */
export interface ImportPlan {
  /**
   * The run that made it, whose files it has: another run, that was taken for dead and is late, must
   * not replace them.
   */
  readonly run: string;
  /** Digest of the outcomes: a plan with another outcome of any row has another tag. */
  readonly tag: string;
  readonly rows: number;
  readonly counts: Counts<Outcome>;
  /** The plan's files, each of which is a step of applying. */
  readonly steps: number;
  /** About how many write units of the table applying it consumes. */
  readonly writeUnits: number;
}

/** An import, from its creation until seven days after it last moved. */
export interface ImportJob {
  readonly id: string;
  readonly state: ImportState;
  readonly options: ImportOptions;
  /** Name of the file, by which a person recognises the import. */
  readonly filename?: string | undefined;
  /** Size of the file, as its sender has announced it. */
  readonly bytes: number;
  /** SHA-256 of the file in base64, as announced; once it is read, as it is. */
  readonly sha256?: string | undefined;
  readonly facts?: FileFacts | undefined;
  readonly plan?: ImportPlan | undefined;
  /** Rows that are read, applied or undone so far. */
  readonly rowsDone: number;
  /** Steps of the plan that are applied, and those that are undone. */
  readonly stepsDone: number;
  readonly stepsUndone: number;
  /** Outcomes that are left as they are. */
  readonly leaveOut?: readonly Outcome[] | undefined;
  readonly results?: Counts<Result> | undefined;
  readonly undone?: Counts<UndoResult> | undefined;
  /** Id of the run that reads, applies or undoes; only that one may note its progress. */
  readonly run?: string | undefined;
  /** ISO 8601, as `updated`. */
  readonly started: string;
  /** Time of the last move or progress. */
  readonly updated: string;
  /** Until when the file can be sent, the plan be applied, or the import be undone; ISO 8601. */
  readonly expires?: string | undefined;
  readonly reason?: ImportReason | undefined;
}

/** Input of the functions that plan, apply and undo imports in the background. */
export interface ImportJobInput {
  readonly merchantId: string;
  /** The import's id. */
  readonly importId: string;
  readonly run: string;
  readonly task: 'plan' | 'apply' | 'undo';
  /** Module and service that new customers belong to. */
  readonly references?: { readonly mexcModulesid?: number; readonly mm3servicesid?: number };
}
