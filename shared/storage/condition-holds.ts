import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/** Returns whether the condition of a write held; the write has changed nothing if not. */
export async function conditionHolds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
