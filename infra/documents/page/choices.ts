import type { FormatName } from '../../../shared/domain/export.ts';
import type { MatchField } from '../../../shared/domain/import.ts';

/** What a group of radio buttons is about, and its choices: what each is called, and what it means. */
export interface Choices<Value extends string> {
  readonly legend: string;
  readonly choices: Readonly<Record<Value, readonly [text: string, help: string]>>;
}

/** A kind of file that a person can choose. */
export type ExportChoice = 'xlsx' | 'csvSwedish' | 'csv' | 'xml' | 'jsonl';

/** The files that can be chosen, the first by default: their format, and its options. */
export const EXPORT_CHOICES: Readonly<
  Record<ExportChoice, { readonly format: FormatName; readonly options: Record<string, string> }>
> = {
  xlsx: { format: 'xlsx', options: {} },
  csvSwedish: { format: 'csv', options: { delimiter: 'semicolon', bom: 'true', headers: 'sv' } },
  csv: { format: 'csv', options: {} },
  xml: { format: 'xml', options: {} },
  jsonl: { format: 'jsonl', options: {} },
};

/** A way to recognise a row's customer that a person can choose. */
export type MatchChoice = 'customerid' | 'companyno' | 'either' | 'id';

/** The fields that each way looks at, in their order. */
export const MATCH_CHOICES: Readonly<Record<MatchChoice, readonly MatchField[]>> = {
  customerid: ['customerid'],
  companyno: ['companyno'],
  either: ['customerid', 'companyno'],
  id: ['mexcParamvaluesetsid', 'customerid'],
};
