/** Members by which a list can be sorted. Ids and dates have one order. */
export const SORT_NAMES = [
  'mexcParamvaluesetsid',
  'date',
  'name',
  'customerid',
  'updated',
] as const;

/** The order of a list of customers. */
export interface SortOrder {
  readonly by: 'id' | 'name' | 'customerid' | 'updated';
  readonly isDescending: boolean;
}

/** The order of a list for which none is chosen. */
export const BY_ID: SortOrder = { by: 'id', isDescending: false };

/** A place in a sorted list: that of a customer, whether it still exists or not. */
export interface SortPosition {
  readonly id: number;
  /** What the list was sorted by; undefined if that is the id. */
  readonly key?: string;
}
