import { MAX_DUPLICATES_NAMED } from './limits.ts';

/** The merchant has no customer with this id. */
export class CustomerNotFoundError extends Error {
  constructor(id: number) {
    super(`There is no customer ${id}.`);
  }
}

/** The merchant has no long export with this id, or its status has expired. */
export class ExportNotFoundError extends Error {
  constructor(id: string) {
    super(`There is no export ${id}, or its status has expired. Export again.`);
  }
}

/** The merchant has no import with this id, or it is no longer kept. */
export class ImportNotFoundError extends Error {
  constructor(id: string) {
    super(`There is no import ${id}, or it is no longer kept. Import the file again.`);
  }
}

/** The plan of an import, or what undoing it needs, is no longer kept. */
export class ImportExpiredError extends Error {
  constructor(id: string) {
    super(`The files of import ${id} are no longer kept. Import the file again.`);
  }
}

/** An import is in a state in which it cannot be planned, applied, undone or deleted. */
export class ImportStateError extends Error {
  /** Id of another import that is in the way. */
  readonly other: string | undefined;

  constructor(message: string, other?: string) {
    super(message);
    this.other = other;
  }
}

/** Rows of a plan are ambiguous or invalid, and its caller has not said to leave them out. */
export class RowsToLeaveOutError extends Error {
  readonly counts: Readonly<Record<string, number>>;

  constructor(counts: Readonly<Record<string, number>>, outcomes: readonly string[]) {
    const rows = outcomes.map((outcome) => `${counts[outcome]} ${outcome}`).join(' and ');
    super(
      `The plan has ${rows} rows. Correct the file and import it again, or leave them out: ` +
        `send {"leaveOut": ${JSON.stringify(outcomes)}}.`,
    );
    this.counts = counts;
  }
}

/** The file of an import cannot be read. */
export class ImportFailedError extends Error {
  /** For programs, such as `noHeader`. */
  readonly code: string;
  readonly importId: string;

  constructor(id: string, { code, detail }: { readonly code: string; readonly detail: string }) {
    super(detail);
    this.code = code;
    this.importId = id;
  }
}

/** The plan of an import is not the one that the caller has seen. */
export class StalePlanError extends Error {
  constructor(id: string) {
    super(`Import ${id} has another plan; get it and look at it again.`);
  }
}

/** The customer's version is not the one that the caller expects. */
export class VersionMismatchError extends Error {
  constructor(id: number) {
    super(`Customer ${id} has been changed since; get it and try again.`);
  }
}

/** The caller expects a customer with the customerid, and there is none (`If-Match`). */
export class NoCustomerToMatchError extends Error {
  constructor() {
    super('No customer has this customerid.');
  }
}

/** The caller expects no customer with the customerid, and there is one (`If-None-Match`). */
export class CustomerExistsError extends Error {
  constructor(id: number) {
    super(`Customer ${id} has this customerid.`);
  }
}

/** Several customers have the customerid that is to name one. */
export class DuplicateCustomeridError extends Error {
  readonly ids: readonly number[];

  /** @param found ids of customers that were looked at; there can be more. */
  constructor(found: readonly number[]) {
    const ids = found.slice(0, MAX_DUPLICATES_NAMED);
    const customers = `${ids.length} customers${ids.length < MAX_DUPLICATES_NAMED ? '' : ' or more'}`;
    super(`${customers} have this customerid. Change or delete all but one of them by their ids.`);
    this.ids = ids;
  }
}

/** The idempotency key was used with another body. */
export class IdempotencyKeyReusedError extends Error {
  constructor() {
    super(
      'This Idempotency-Key was used with another body. Send that body again, or choose another key.',
    );
  }
}

/** Changes after the caller's position are no longer kept, or the log was replaced. */
export class ChangesExpiredError extends Error {
  constructor() {
    super('These changes are no longer kept. Load all customers again.');
  }
}

/** More customers match than a list can sort. */
export class TooManyToSortError extends Error {
  /** @param instead what the caller can do besides narrowing the filters. */
  constructor(max: number, by: string, instead: string) {
    super(
      `cannot order more than ${max} customers by ${by}, and more match; narrow the filters, or ${instead}`,
    );
  }
}

/** An export of customers by id found none of them. */
export class EmptyExportError extends Error {
  constructor() {
    super('None of these customers exists.');
  }
}

/** A dependency is overloaded or cannot be reached; the request may be retried. */
export class UnavailableError extends Error {
  /** Seconds after which to retry. */
  readonly retryAfterS: number;

  constructor(message = 'The register is busy or cannot be reached.', retryAfterS = 2) {
    super(message);
    this.retryAfterS = retryAfterS;
  }
}

/** The merchant exceeds a rate, or a limit of what runs at a time. */
export class RateLimitError extends Error {
  /** Seconds after which to retry. */
  readonly retryAfterS: number;

  constructor(message: string, retryAfterS: number) {
    super(message);
    this.retryAfterS = retryAfterS;
  }
}

/** A dependency rejects a request that should be valid, or its response has an unknown form. */
export class UnusableResponseError extends Error {}

/** Other writers changed the customer first, time and again. */
export class WriteConflictError extends UnavailableError {
  constructor(id: number) {
    super(`Customer ${id} is being changed by many at once.`);
  }
}

/** A bulk delete failed after it had deleted some customers. */
export class DeletionInterruptedError extends Error {
  readonly deleted: number;

  /** @param cause why the deletion of another customer failed. */
  constructor(deleted: number, total: number, cause: unknown) {
    super(`${deleted} of ${total} customers are deleted. Send the request again for the rest.`, {
      cause,
    });
    this.deleted = deleted;
  }
}

/** Why a file cannot be read. */
export type UnreadableFileCode =
  | 'bomb'
  | 'cellTooLong'
  | 'damaged'
  | 'doctype'
  | 'duplicateColumn'
  | 'encrypted'
  | 'fileTooLarge'
  | 'noHeader'
  | 'noSuchSheet'
  | 'notUtf8'
  | 'rowTooLong'
  | 'tooManyColumns'
  | 'tooManyRows'
  | 'truncated'
  | 'unsupported'
  | 'wrongFormat';

/** A file that is to be imported cannot be read, as a whole; rows with errors are reported one by one. */
export class UnreadableFileError extends Error {
  /** For programs and translations. */
  readonly code: UnreadableFileCode;
  /** Where in the file, such as `line 3`. */
  readonly where: string | undefined;

  /** @param detail what is wrong and what would be right, in English. */
  constructor(code: UnreadableFileCode, detail: string, where?: string) {
    super(detail);
    this.code = code;
    this.where = where;
  }

  get detail(): string {
    return this.message;
  }
}
