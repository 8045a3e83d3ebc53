import type { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { isUnsent } from '../aws-errors.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';

/**
 * Outcome of a conditional write. It is `indeterminate` if the condition failed after the SDK
 * retried because a response was lost: the first attempt may have succeeded.
 */
export type Outcome = 'done' | 'condition failed' | 'indeterminate';

/** Sends a write that has a condition. */
export async function writeConditionally(command: PutCommand | DeleteCommand): Promise<Outcome> {
  const responseWasLost = watchForLostResponses(command as DeleteCommand);
  if (await conditionHolds(documents.send(command as DeleteCommand))) return 'done';
  return responseWasLost() ? 'indeterminate' : 'condition failed';
}

/** Returns a function that says whether any attempt of the command was sent and ended without a response. */
function watchForLostResponses({ middlewareStack }: DeleteCommand): () => boolean {
  let lost = false;
  middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error) => {
        // A request that was throttled, rejected or not sent has changed nothing.
        lost ||= error.$fault !== 'client' && !isUnsent(error);
        throw error;
      }),
    // The document client adds a command's middleware twice, hence a name and `override`.
    { step: 'finalizeRequest', priority: 'low', name: 'watchForLostResponses', override: true },
  );
  return () => lost;
}
